// timers: when the units that have one are started by it next, the soonest first.

#include <algorithm>

#include "ctl/json.hpp"
#include "ctl/printable.hpp"
#include "ctl/render.hpp"
#include "ctl/verbs.hpp"
#include "ctl/words.hpp"

namespace foster::ctl {
namespace {

std::string render_timers(const Snapshot& snapshot, const RenderOptions& options) {
  const Clock& clock = snapshot.daemon.clock;
  if (snapshot.units.empty()) return "no unit has a timer\n";
  Table table{"UNIT", "NEXT", "LEFT", "STATE", "LAST START"};
  for (const UnitView& unit : snapshot.units) {
    const foster_slot_body& body = unit.body;
    table.add(printable(unit.name));
    table.add(date_text(body.timer_next_real_ns));
    table.add(deadline_text(Duration(body.timer_next_real_ns - clock.real_ns)));
    table.add(state_word(body.state), state_colour(body.state));
    table.add(body.started_boot_ns == 0 ? "-"
                                        : age_text(clock.boot - Instant{body.started_boot_ns}));
  }
  return table.render(options);
}

}  // namespace

ExitCode run_timers(Session& session, const Arguments& arguments) {
  const Step<OpenRegion> region = session.open_region(arguments);
  if (!region) return region.error();
  const Step<std::vector<uint32_t>> slots = session.select(region->reader, arguments.names);
  if (!slots) return slots.error();
  Step<Snapshot> snapshot = session.look(region->reader, *slots);
  if (!snapshot) return snapshot.error();
  std::erase_if(snapshot->units,
                [](const UnitView& unit) { return unit.body.timer_next_real_ns == 0; });
  std::ranges::stable_sort(snapshot->units, {},
                           [](const UnitView& unit) { return unit.body.timer_next_real_ns; });
  const RenderOptions options = render_options(session.environment(), arguments);
  session.out().write(arguments.json ? timers_json(*snapshot) : render_timers(*snapshot, options));
  return ExitCode::done;
}

}  // namespace foster::ctl
