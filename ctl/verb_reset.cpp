// reset: a failure and the restarts that led to it are forgotten.

#include "common/bus_api.hpp"
#include "ctl/change.hpp"
#include "ctl/verbs.hpp"

namespace foster::ctl {

ExitCode run_reset(Session& session, const Arguments& arguments) {
  return run_change(session, arguments,
                    {.method = bus_api::kReset,
                     .requested = "reset requested",
                     .wants_up = false,
                     .done = "reset"});
}

}  // namespace foster::ctl
