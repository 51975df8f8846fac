// hand-up: a socket of a unit goes to the store of the supervisor above fosterd (systemd), which
// gives it to the fosterd that it starts next, if it takes it: it does not answer. foster goes on
// holding it, until it ends.

#include "common/bus_api.hpp"
#include "ctl/printable.hpp"
#include "ctl/requester.hpp"
#include "ctl/verbs.hpp"

namespace foster::ctl {

ExitCode run_hand_up(Session& session, const Arguments& arguments) {
  const Step<OpenRegion> region = session.open_region(arguments);
  if (!region) return region.error();
  const std::string& unit = arguments.names.front();
  const Step<std::vector<std::string>> count =
      request(session, arguments, *region,
              {.method = bus_api::kHandUp, .names = {unit, arguments.descriptor}});
  if (!count) return count.error();
  if (arguments.quiet) return ExitCode::done;
  session.out().line(printable(unit) + ": " + printable(arguments.descriptor) +
                     " was offered to the supervisor above");
  return ExitCode::done;
}

}  // namespace foster::ctl
