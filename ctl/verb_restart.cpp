// restart: a stop and a start in one job, or the new process beside the old one. A unit that is
// down is started.

#include "common/bus_api.hpp"
#include "ctl/change.hpp"
#include "ctl/verbs.hpp"

namespace foster::ctl {

ExitCode run_restart(Session& session, const Arguments& arguments) {
  return run_change(session, arguments,
                    {.method = arguments.overlap ? bus_api::kOverlap : bus_api::kRestart,
                     .requested = "restart requested",
                     .wants_up = true,
                     .goes_on = "the old one goes on"});
}

}  // namespace foster::ctl
