// signal: a signal to the main processes, sent by the keeper, which alone knows that a pid is still
// theirs.

#include "common/bus_api.hpp"
#include "common/signal_name.hpp"
#include "ctl/printable.hpp"
#include "ctl/requester.hpp"
#include "ctl/verbs.hpp"

namespace foster::ctl {

ExitCode run_signal(Session& session, const Arguments& arguments) {
  const Step<OpenRegion> region = session.open_region(arguments);
  if (!region) return region.error();
  const Step<std::vector<std::string>> units =
      request(session, arguments, *region,
              {.method = bus_api::kSignal,
               .names = arguments.names,
               .number = static_cast<uint32_t>(arguments.signal)});
  if (!units) return units.error();
  if (arguments.quiet) return ExitCode::done;
  for (const std::string& unit : *units)
    session.out().line(printable(unit) + ": sent " + signal_name(arguments.signal));
  return ExitCode::done;
}

}  // namespace foster::ctl
