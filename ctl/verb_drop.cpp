// drop: descriptors that were passed to a unit, or that it has stored, are not held any more. The
// running service keeps what it has.

#include "common/bus_api.hpp"
#include "ctl/printable.hpp"
#include "ctl/requester.hpp"
#include "ctl/verbs.hpp"

namespace foster::ctl {

ExitCode run_drop(Session& session, const Arguments& arguments) {
  const Step<OpenRegion> region = session.open_region(arguments);
  if (!region) return region.error();
  const std::string& unit = arguments.names.front();
  const Step<std::vector<std::string>> count =
      request(session, arguments, *region,
              {.method = bus_api::kDrop, .names = {unit, arguments.descriptor}});
  if (!count) return count.error();
  if (arguments.quiet) return ExitCode::done;
  const bool one = !count->empty() && count->front() == "1";
  session.out().line(printable(unit) + ": dropped " + printable(arguments.descriptor) +
                     (one || count->empty() ? "" : ", " + count->front() + " of that name"));
  return ExitCode::done;
}

}  // namespace foster::ctl
