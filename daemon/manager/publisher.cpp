#include "daemon/manager/publisher.hpp"

#include <sys/inotify.h>

#include <algorithm>

#include "daemon/manager/log.hpp"

namespace foster::manager {

Result<void> Publisher::watch(sd_event* loop, const std::string& object_name) {
  loop_ = loop;
  path_ = "/dev/shm" + object_name;  // Where shm_open(3) keeps it on Linux.
  return watch_object();
}

Result<void> Publisher::watch_object() {
  source_ = sd_event_source_disable_unref(source_);
  // Unlinking changes the link count, which is IN_ATTRIB as long as the object is mapped.
  const int error =
      sd_event_add_inotify(loop_, &source_, path_.c_str(),
                           IN_ATTRIB | IN_DELETE_SELF | IN_MOVE_SELF, object_touched, this);
  if (error < 0) return system_failure("watch " + path_, -error);
  return {};
}

int Publisher::object_touched(sd_event_source*, const inotify_event*, void* self) {
  static_cast<Publisher*>(self)->repair();
  return 0;
}

void Publisher::repair() {
  const auto repaired = writer_.repair_if_unlinked();
  if (!repaired) {
    log(Level::error, repaired.error().message);
    return;
  }
  if (!*repaired) return;
  log(Level::warning, "the status region was deleted by someone and has been made again",
      {{"object", path_}});
  if (auto watched = watch_object(); !watched) log(Level::error, watched.error().message);
}

void Publisher::note(const core::Note& note, const core::Supervisor& core, Now now) {
  events_.push_back(
      encode_event(note, note.about_unit ? core.set()[note.unit].name : std::string(), now));
}

void Publisher::publish(const core::Supervisor& core, std::vector<UnitIndex> changed,
                        uint32_t phase, Now now) {
  std::vector<region::SlotUpdate> slots;
  if (!stale_.empty()) {
    changed.insert(changed.end(), stale_.begin(), stale_.end());
    std::vector<UnitIndex>().swap(stale_);
    std::ranges::sort(changed, {}, &UnitIndex::value);
    const auto doubled = std::ranges::unique(changed, {}, &UnitIndex::value);
    changed.erase(doubled.begin(), doubled.end());
  }
  slots.reserve(changed.size());
  for (const UnitIndex unit : changed)
    slots.push_back(
        {unit.value, encode_slot(core.record(unit), core.set()[unit], facts_(unit), now)});
  if (slots.empty() && events_.empty() && phase == phase_) return;
  phase_ = phase;
  const region::HeaderUpdate header{.phase = phase,
                                    .exit_code = core.exit_code(),
                                    .last_attempt = core.last_attempt().value,
                                    .last_job = core.last_job().value};
  if (auto published = writer_.publish(slots, events_, header); !published)
    log(Level::error, published.error().message);
  // Not kept for the next turn: after a start of a thousand units this would stay a megabyte.
  std::vector<foster_event>().swap(events_);
}

}  // namespace foster::manager
