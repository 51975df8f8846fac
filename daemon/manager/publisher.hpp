// Keeps the status region in step with the core: gathers the records that changed and the notes of
// a turn, and publishes them at once at its end. Also watches over the object's name: whoever
// unlinks it (logind's RemoveIPC does, for ordinary users) finds it made again, without anyone
// having to look now and then.
#pragma once

#include <functional>
#include <vector>

#include <systemd/sd-event.h>

#include "common/ipc/unique_fd.hpp"
#include "common/region/writer.hpp"
#include "common/result.hpp"
#include "daemon/core/supervisor.hpp"
#include "daemon/manager/slot_codec.hpp"

namespace foster::manager {

class Publisher {
 public:
  /// `facts` gives what a slot shows that is not the core's to know.
  Publisher(region::Writer writer, std::function<SlotFacts(UnitIndex)> facts)
      : writer_(std::move(writer)), facts_(std::move(facts)) {}
  Publisher(Publisher&&) = delete;
  ~Publisher() { sd_event_source_disable_unref(source_); }

  /// Watches the object's file by inotify(7) in the loop.
  Result<void> watch(sd_event* loop, const std::string& object_name);

  void note(const core::Note& note, const core::Supervisor& core, Now now);
  void note(const foster_event& event) { events_.push_back(event); }

  /// The unit's facts are others now.
  void facts_changed(UnitIndex unit) { stale_.push_back(unit); }

  /// Publishes the changed units, the gathered notes and the header. Does nothing when nothing
  /// changed. `changed` as core::Supervisor::take_changed gives them.
  void publish(const core::Supervisor& core, std::vector<UnitIndex> changed, uint32_t phase,
               Now now);

  void turn_started(Instant now) { writer_.turn_started(now.ns); }
  void turn_ended() { writer_.turn_ended(); }

  /// The end: what is published last stays true for whoever has the object mapped.
  void remove() { writer_.remove(); }

 private:
  static int object_touched(sd_event_source* source, const inotify_event* event, void* self);
  Result<void> watch_object();
  void repair();

  region::Writer writer_;
  std::function<SlotFacts(UnitIndex)> facts_;
  std::vector<foster_event> events_;
  std::vector<UnitIndex> stale_;
  uint32_t phase_ = FOSTER_PHASE_STARTING;
  std::string path_;
  sd_event* loop_ = nullptr;  // borrowed
  sd_event_source* source_ = nullptr;
};

}  // namespace foster::manager
