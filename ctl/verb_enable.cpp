// enable, disable, mask and unmask: what the daemon remembers of units over restarts.

#include "common/bus_api.hpp"
#include "ctl/printable.hpp"
#include "ctl/requester.hpp"
#include "ctl/verbs.hpp"

namespace foster::ctl {
namespace {

bool is_masked(const region::Reader& reader, std::string_view unit) {
  const auto slot = reader.find(unit);
  foster_slot_body body;
  return slot && reader.copy_body(*slot, body) && body.enablement == FOSTER_MASKED;
}

ExitCode run_setting(Session& session, const Arguments& arguments, std::string_view method,
                     std::string_view done) {
  const Step<OpenRegion> region = session.open_region(arguments);
  if (!region) return region.error();
  const Step<std::vector<std::string>> units =
      request(session, arguments, *region, {.method = method, .names = arguments.names});
  if (!units) return units.error();
  if (arguments.quiet) return ExitCode::done;
  for (const std::string& unit : *units) {
    std::string line = printable(unit) + ": " + std::string(done);
    if (method == bus_api::kEnable && is_masked(region->reader, unit))
      line += ", but masked: it cannot be started before fosterctl unmask " + printable(unit);
    session.out().line(line);
  }
  return ExitCode::done;
}

}  // namespace

ExitCode run_enable(Session& session, const Arguments& arguments) {
  return run_setting(session, arguments, bus_api::kEnable, "enabled");
}

ExitCode run_disable(Session& session, const Arguments& arguments) {
  return run_setting(session, arguments, bus_api::kDisable, "disabled");
}

ExitCode run_mask(Session& session, const Arguments& arguments) {
  return run_setting(session, arguments, bus_api::kMask, "masked");
}

ExitCode run_unmask(Session& session, const Arguments& arguments) {
  return run_setting(session, arguments, bus_api::kUnmask, "unmasked");
}

}  // namespace foster::ctl
