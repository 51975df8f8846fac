// restart: a stop and a start in one job. A unit that is down is started.

#include "common/bus_api.hpp"
#include "ctl/change.hpp"
#include "ctl/verbs.hpp"

namespace foster::ctl {

ExitCode run_restart(Session& session, const Arguments& arguments) {
  return run_change(
      session, arguments,
      {.method = bus_api::kRestart, .requested = "restart requested", .wants_up = true});
}

}  // namespace foster::ctl
