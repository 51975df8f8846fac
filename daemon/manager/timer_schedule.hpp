// When the units' timers elapse. A pure function of the times it is told: `every` and `after-boot`
// go by the clock of the boot, which never leaps and counts while the machine sleeps; calendar
// events by the clock on the wall, which may be set. The jitter of a start follows from the seed
// and from when it would be without, so that a manager's successor comes to the same.
//
//   * every: from one start of the unit to the next, whoever started it; the first time so long
//     after the unit is there.
//   * after-boot: once, so long after the daemon's start; at once for a unit that comes later.
//   * calendar: the next event later than the last one that was seen to come. Several that came
//     while nobody could see are one start: over a suspension, a leap of the clock, and, for a
//     persistent timer, over a time without the daemon.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <set>
#include <unordered_map>
#include <utility>
#include <vector>

#include "common/calendar/calendar.hpp"
#include "common/instant.hpp"
#include "common/unit/unit_set.hpp"

namespace foster::manager {

/// Both clocks, read together.
struct Clocks {
  Instant boot;
  int64_t real_us = 0;
};

class TimerSchedule {
 public:
  TimerSchedule(std::shared_ptr<const UnitSet> set, Instant daemon_started, uint64_t seed)
      : set_(std::move(set)), daemon_started_(daemon_started), seed_(seed) {}

  /// What is known of the unit's past when its timer begins to count.
  struct Past {
    bool seen = false;                // a former manager has let this timer count
    Instant last_start;               // {0}: never started
    int64_t due_real_us = 0;          // when that manager said it would elapse next; 0: never
    std::optional<int64_t> last_run;  // of a persistent timer: real time in microseconds
  };
  void add(UnitIndex unit, const Past& past, const Clocks& now);
  void remove(UnitIndex unit);
  [[nodiscard]] bool has(UnitIndex unit) const { return entries_.contains(unit.value); }

  /// The unit was started, by whomever.
  void started(UnitIndex unit, Instant at, const Clocks& now);

  /// The units whose timers have elapsed, in order of time; they count on from now.
  [[nodiscard]] std::vector<UnitIndex> take_elapsed(const Clocks& now);

  /// The clock on the wall was set.
  void clock_set(const Clocks& now);

  /// By the clock on the wall, as it goes now.
  [[nodiscard]] std::optional<int64_t> next_real_us() const;
  /// 0: the unit has no timer that will elapse.
  [[nodiscard]] int64_t next_real_us(UnitIndex unit) const;

  /// Units whose next time has changed since the last call.
  [[nodiscard]] std::vector<UnitIndex> take_changed();

 private:
  struct Entry {
    std::vector<Calendar> calendars;
    Instant every_from;
    bool boot_pending = false;
    bool missed = false;           // it elapsed while nobody could see
    int64_t calendar_from_us = 0;  // events up to then have been seen
    int64_t next_us = 0;           // 0: never
    // What next_us was made of.
    std::optional<Instant> next_boot;
    std::optional<int64_t> next_calendar_us;
  };

  void plan(UnitIndex unit, Entry& entry, const Clocks& now);
  void put(UnitIndex unit, Entry& entry, int64_t next_us);
  [[nodiscard]] std::optional<Instant> next_boot(UnitIndex unit, const Entry& entry) const;
  [[nodiscard]] Instant boot_due(UnitIndex unit) const;
  [[nodiscard]] std::optional<int64_t> next_calendar_us(UnitIndex unit, const Entry& entry) const;
  [[nodiscard]] Duration jitter(UnitIndex unit, int64_t of) const;
  [[nodiscard]] static bool elapsed(const Entry& entry, const Clocks& now);

  std::shared_ptr<const UnitSet> set_;
  Instant daemon_started_;
  uint64_t seed_;
  std::unordered_map<uint32_t, Entry> entries_;     // by unit; only those with a timer
  std::set<std::pair<int64_t, uint32_t>> by_time_;  // (next_us, unit)
  std::vector<UnitIndex> changed_;
};

}  // namespace foster::manager
