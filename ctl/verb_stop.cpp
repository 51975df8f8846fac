// stop: until each unit is down, with every process of its group.

#include "common/bus_api.hpp"
#include "ctl/change.hpp"
#include "ctl/verbs.hpp"

namespace foster::ctl {

ExitCode run_stop(Session& session, const Arguments& arguments) {
  return run_change(session, arguments,
                    {.method = bus_api::kStop, .requested = "stop requested", .wants_up = false});
}

}  // namespace foster::ctl
