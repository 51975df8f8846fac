// The units' timers in the real world: one timer of the kernel for all of them, which is set to the
// next time and tells when the clock on the wall is set. Without timers there is not even that.
#pragma once

#include <functional>
#include <memory>

#include <systemd/sd-event.h>

#include "common/ipc/unique_fd.hpp"
#include "common/result.hpp"
#include "common/unit/unit_set.hpp"
#include "daemon/core/event.hpp"
#include "daemon/manager/settings_store.hpp"
#include "daemon/manager/timer_schedule.hpp"

namespace foster::manager {

class Timers {
 public:
  /// `queue` takes the starts that follow; `changed` is told of units whose next time is another.
  /// `settings` keeps when persistent timers ran last, and outlives this.
  Timers(std::shared_ptr<const UnitSet> set, Instant daemon_started, SettingsStore& settings,
         std::function<void(core::Event)> queue, std::function<void(UnitIndex)> changed);
  ~Timers();
  Timers(const Timers&) = delete;
  Timers& operator=(const Timers&) = delete;

  void attach(sd_event* loop) { loop_ = loop; }

  /// The unit has a [timer] that counts from now on. `past.last_run` is found out here.
  void add(UnitIndex unit, TimerSchedule::Past past);
  void remove(UnitIndex unit);
  [[nodiscard]] bool has(UnitIndex unit) const { return schedule_.has(unit); }
  /// The unit was started: at the very time that its record says, by which a successor will count.
  void started(UnitIndex unit, Instant at);

  /// Nanoseconds since 1970; 0: the unit will not be started by a timer.
  [[nodiscard]] int64_t next_real_ns(UnitIndex unit) const;

  /// Sets the kernel's timer to what is next, if that has changed.
  void arm();

 private:
  static int timer_spoke(sd_event_source* source, int fd, uint32_t events, void* self);
  Result<void> make_timer();
  void elapse();
  void tell_changes();

  std::shared_ptr<const UnitSet> set_;
  SettingsStore& settings_;
  std::function<void(core::Event)> queue_;
  std::function<void(UnitIndex)> changed_;
  TimerSchedule schedule_;
  sd_event* loop_ = nullptr;  // borrowed
  UniqueFd timer_;
  sd_event_source* source_ = nullptr;
  int64_t armed_us_ = 0;  // 0: it is not
};

}  // namespace foster::manager
