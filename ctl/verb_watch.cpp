// watch: the present states, then each change of them, from the events in the region, so that none
// is missed between two looks. Where events were overwritten before we came, the present states
// that differ from what was shown are shown again.

#include <map>
#include <string>

#include "ctl/event_printer.hpp"
#include "ctl/follow.hpp"
#include "ctl/render.hpp"
#include "ctl/selection.hpp"
#include "ctl/verbs.hpp"
#include "ctl/words.hpp"

namespace foster::ctl {
namespace {

class Watcher {
 public:
  Watcher(Session& session, const Arguments& arguments)
      : session_(session), arguments_(arguments), printer_(session, arguments) {}

  [[nodiscard]] EventPrinter& printer() { return printer_; }

  /// The present states, where they are news. Names without a unit are passed over: a daemon that
  /// came after the one that was asked may not have them, or not yet.
  void show_present(const region::Reader& reader) {
    // First the ring, then the slots: what happens in between is in both, and is shown once.
    cursor_.skip(reader);
    const Step<Snapshot> snapshot =
        session_.look(reader, select_slots(reader, arguments_.names).slots);
    if (!snapshot) return;
    for (const UnitView& unit : snapshot->units)
      show_once(present_state(unit), "present");
  }

  void show_changes(const region::Reader& reader) {
    const EventCursor::Batch batch = cursor_.take(reader);
    if (batch.broken) return show_present(reader);
    for (const foster_event& event : batch.events) {
      const bool of_daemon =
          event.kind == FOSTER_EVENT_MANAGER || event.kind == FOSTER_EVENT_SHUTDOWN;
      const bool of_condition =
          event.kind == FOSTER_EVENT_HEALTH || event.kind == FOSTER_EVENT_READY;
      if (of_daemon || (of_condition && printer_.concerns(event))) printer_.show(event);
      if (event.kind == FOSTER_EVENT_STATE && printer_.concerns(event)) show_once(event, "state");
    }
  }

 private:
  struct Shown {
    uint8_t state = 0;
    uint64_t attempt = 0;
    int64_t boot_ns = 0;
  };

  void show_once(const foster_event& event, std::string_view kind) {
    Shown& shown = shown_[std::string(field_text(event.name, sizeof event.name))];
    const bool same = event.state == shown.state && event.attempt == shown.attempt;
    if (shown.boot_ns != 0 && (same || event.boot_ns < shown.boot_ns)) return;
    shown = {event.state, event.attempt, std::max<int64_t>(event.boot_ns, 1)};
    printer_.show(event, kind);
  }

  Session& session_;
  const Arguments& arguments_;
  EventPrinter printer_;
  EventCursor cursor_;
  std::map<std::string, Shown> shown_;
};

}  // namespace

ExitCode run_watch(Session& session, const Arguments& arguments) {
  Step<OpenRegion> region = session.open_region(arguments);
  if (!region) return region.error();
  const auto slots = session.select(region->reader, arguments.names);
  if (!slots) return slots.error();
  Watcher watcher(session, arguments);
  watcher.show_present(region->reader);
  return follow(session, *region, watcher.printer(), [&] { watcher.show_changes(region->reader); });
}

}  // namespace foster::ctl
