// Keeps the status region in step with the core: gathers the records that changed and the notes of
// a turn, and publishes them at once at its end. Also watches over the object's name: whoever
// unlinks it (logind's RemoveIPC does, for ordinary users) finds it made again, without anyone
// having to look now and then.
#pragma once

#include <vector>

#include <systemd/sd-event.h>

#include "common/ipc/unique_fd.hpp"
#include "common/region/writer.hpp"
#include "common/result.hpp"
#include "daemon/core/supervisor.hpp"

namespace foster::manager {

class Publisher {
 public:
  explicit Publisher(region::Writer writer) : writer_(std::move(writer)) {}
  Publisher(Publisher&&) = delete;
  ~Publisher() { sd_event_source_disable_unref(source_); }

  /// Watches the object's file by inotify(7) in the loop.
  Result<void> watch(sd_event* loop, const std::string& object_name);

  void note(const core::Note& note, const core::Supervisor& core, Instant now, int64_t now_real_ns);
  void note(const foster_event& event) { events_.push_back(event); }

  /// Publishes the changed units, the gathered notes and the header. Does nothing when nothing
  /// changed.
  void publish(core::Supervisor& core, uint32_t phase, Instant now, int64_t now_real_ns);

  void turn_started(Instant now) { writer_.turn_started(now.ns); }
  void turn_ended() { writer_.turn_ended(); }

  /// The end: what is published last stays true for whoever has the object mapped.
  void remove() { writer_.remove(); }

 private:
  static int object_touched(sd_event_source* source, const inotify_event* event, void* self);
  Result<void> watch_object();
  void repair();

  region::Writer writer_;
  std::vector<foster_event> events_;
  uint32_t phase_ = FOSTER_PHASE_STARTING;
  std::string path_;
  sd_event* loop_ = nullptr;  // borrowed
  sd_event_source* source_ = nullptr;
};

}  // namespace foster::manager
