// start: until each unit is up, or has failed to come up, which is then explained.

#include "common/bus_api.hpp"
#include "ctl/change.hpp"
#include "ctl/verbs.hpp"

namespace foster::ctl {

ExitCode run_start(Session& session, const Arguments& arguments) {
  return run_change(session, arguments,
                    {.method = bus_api::kStart, .requested = "start requested", .wants_up = true});
}

}  // namespace foster::ctl
