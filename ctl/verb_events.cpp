// events: the flight recorder, the ring of the latest events in the region, which outlives the
// manager.

#include <algorithm>

#include "ctl/event_printer.hpp"
#include "ctl/follow.hpp"
#include "ctl/verbs.hpp"

namespace foster::ctl {
namespace {

void show_new(EventCursor& cursor, EventPrinter& printer, const region::Reader& reader) {
  const EventCursor::Batch batch = cursor.take(reader);
  if (batch.broken) printer.remark("events_lost", "some events were not seen");
  for (const foster_event& event : batch.events) {
    if (printer.concerns(event)) printer.show(event);
  }
}

}  // namespace

ExitCode run_events(Session& session, const Arguments& arguments) {
  Step<OpenRegion> region = session.open_region(arguments);
  if (!region) return region.error();
  std::vector<std::string> units = arguments.names;
  std::erase(units, kDaemonName);
  const auto slots = session.select(region->reader, units);
  if (!slots) return slots.error();
  EventCursor cursor;
  EventPrinter printer(session, arguments);
  std::vector<foster_event> events = cursor.take(region->reader).events;
  std::erase_if(events, [&](const foster_event& event) { return !printer.concerns(event); });
  const size_t shown =
      arguments.count == 0 ? events.size() : std::min(arguments.count, events.size());
  std::for_each(events.end() - static_cast<ptrdiff_t>(shown), events.end(),
                [&](const foster_event& event) { printer.show(event); });
  if (!arguments.follow) return ExitCode::done;
  return follow(session, *region, printer, [&] { show_new(cursor, printer, region->reader); });
}

}  // namespace foster::ctl
