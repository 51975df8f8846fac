// watch: the present states, then each change of them, from the events in the region, so that none
// is missed between two looks. Where events were overwritten before we came, the present states
// that differ from what was shown are shown again.

#include <map>
#include <string>

#include "ctl/event_printer.hpp"
#include "ctl/follow.hpp"
#include "ctl/render.hpp"
#include "ctl/verbs.hpp"

namespace foster::ctl {
namespace {

class Watcher {
 public:
  Watcher(Session& session, const Arguments& arguments)
      : session_(session), arguments_(arguments), printer_(session, arguments) {}

  [[nodiscard]] EventPrinter& printer() { return printer_; }

  /// The present states, where they are news.
  [[nodiscard]] ExitCode show_present(const region::Reader& reader) {
    // First the ring, then the slots: what happens in between is in both, and is shown once.
    cursor_.skip(reader);
    const Step<Snapshot> snapshot = session_.look(reader, arguments_.names);
    if (!snapshot) return snapshot.error();
    for (const region::SlotView& unit : snapshot->units)
      show_once(present_state(unit), "present");
    return ExitCode::done;
  }

  void show_changes(const region::Reader& reader) {
    const EventCursor::Batch batch = cursor_.take(reader);
    if (batch.broken) return show_present_again(reader);
    for (const foster_event& event : batch.events) {
      const bool of_daemon =
          event.kind == FOSTER_EVENT_MANAGER || event.kind == FOSTER_EVENT_SHUTDOWN;
      if (of_daemon) printer_.show(event);
      if (event.kind == FOSTER_EVENT_STATE && printer_.concerns(event)) show_once(event, "state");
    }
  }

 private:
  struct Shown {
    uint8_t state = 0;
    uint64_t attempt = 0;
    int64_t boot_ns = 0;
  };

  // Units that were named may be gone from a new daemon: that is no reason to end.
  void show_present_again(const region::Reader& reader) {
    if (show_present(reader) == ExitCode::done) return;
    cursor_.skip(reader);
  }

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
  Watcher watcher(session, arguments);
  const ExitCode code = watcher.show_present(region->reader);
  if (code != ExitCode::done) return code;
  return follow(session, *region, watcher.printer(), [&] { watcher.show_changes(region->reader); });
}

}  // namespace foster::ctl
