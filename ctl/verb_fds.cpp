// fds: what foster holds of descriptors for units.

#include "common/bus_api.hpp"
#include "ctl/held.hpp"
#include "ctl/json.hpp"
#include "ctl/printable.hpp"
#include "ctl/requester.hpp"
#include "ctl/verbs.hpp"

namespace foster::ctl {
namespace {

Step<void> add_held(Session& session, const Arguments& arguments, const OpenRegion& region,
                    const std::string& unit, std::vector<HeldEntry>& entries) {
  const Step<std::vector<std::string>> lines =
      request(session, arguments, region, {.method = bus_api::kDescriptors, .names = {unit}});
  if (!lines) return std::unexpected(lines.error());
  for (const std::string& line : *lines) {
    std::optional<HeldEntry> entry = parse_held(unit, line);
    if (!entry)
      return std::unexpected(
          session.fail(ExitCode::failed, "cannot understand the answer: " + line));
    entries.push_back(std::move(*entry));
  }
  return {};
}

}  // namespace

ExitCode run_fds(Session& session, const Arguments& arguments) {
  const Step<OpenRegion> region = session.open_region(arguments);
  if (!region) return region.error();
  const Step<std::vector<uint32_t>> slots = session.select(region->reader, arguments.names);
  if (!slots) return slots.error();
  std::vector<HeldEntry> entries;
  for (const uint32_t slot : *slots) {
    const std::string unit(region->reader.slot_name(slot));
    if (const Step<void> added = add_held(session, arguments, *region, unit, entries); !added)
      return added.error();
  }
  Output& out = session.out();
  if (arguments.json) {
    out.write(held_json(entries));
  } else if (entries.empty()) {
    out.line("nothing is held");
  } else {
    out.write(
        render_held(entries, present_clock(), render_options(session.environment(), arguments)));
  }
  return ExitCode::done;
}

}  // namespace foster::ctl
