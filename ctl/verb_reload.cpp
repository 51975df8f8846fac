// reload: a service reads its own configuration again, by its reload hook or its protocol.

#include "common/bus_api.hpp"
#include "ctl/change.hpp"
#include "ctl/verbs.hpp"

namespace foster::ctl {

ExitCode run_reload(Session& session, const Arguments& arguments) {
  return run_change(session, arguments,
                    {.method = bus_api::kReload,
                     .requested = "reload requested",
                     .wants_up = false,
                     .done = "reloaded"});
}

}  // namespace foster::ctl
