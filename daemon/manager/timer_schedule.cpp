#include "daemon/manager/timer_schedule.hpp"

#include <algorithm>

#include "common/check.hpp"

namespace foster::manager {
namespace {

constexpr int64_t kMicrosecond = 1'000;

int64_t to_real_us(Instant at, const Clocks& now) {
  return now.real_us + (at - now.boot).count() / kMicrosecond;
}

/// Well mixed bits of a number (splitmix64).
uint64_t mixed(uint64_t number) {
  number += 0x9e3779b97f4a7c15;
  number = (number ^ number >> 30) * 0xbf58476d1ce4e5b9;
  number = (number ^ number >> 27) * 0x94d049bb133111eb;
  return number ^ number >> 31;
}

uint64_t mixed(const std::string& text, uint64_t number) {
  for (const char c : text)
    number = mixed(number ^ static_cast<unsigned char>(c));
  return number;
}

}  // namespace

Duration TimerSchedule::jitter(UnitIndex unit, int64_t of) const {
  const UnitSpec& spec = (*set_)[unit];
  const auto most = static_cast<uint64_t>(spec.timer->jitter.count());
  if (most == 0) return Duration{0};
  const uint64_t random = mixed(spec.name, seed_ ^ static_cast<uint64_t>(of));
  return Duration(static_cast<int64_t>(random % (most + 1)));
}

std::optional<Instant> TimerSchedule::next_boot(UnitIndex unit, const Entry& entry) const {
  const TimerSpec& timer = *(*set_)[unit].timer;
  std::optional<Instant> next;
  if (timer.every > Duration::zero()) {
    const Instant due = entry.every_from + timer.every;
    next = due + jitter(unit, due.ns);
  }
  if (entry.boot_pending && (!next || boot_due(unit) < *next)) next = boot_due(unit);
  return next;
}

Instant TimerSchedule::boot_due(UnitIndex unit) const {
  const Instant due = daemon_started_ + (*set_)[unit].timer->after_boot;
  return due + jitter(unit, due.ns);
}

std::optional<int64_t> TimerSchedule::next_calendar_us(UnitIndex unit, const Entry& entry) const {
  std::optional<int64_t> next;
  for (const Calendar& calendar : entry.calendars) {
    const auto found = next_elapse(calendar, entry.calendar_from_us);
    if (found && (!next || *found < *next)) next = found;
  }
  if (next) *next += jitter(unit, *next).count() / kMicrosecond;
  return next;
}

void TimerSchedule::add(UnitIndex unit, const Past& past, const Clocks& now) {
  const TimerSpec& timer = *(*set_)[unit].timer;
  remove(unit);
  Entry& entry = entries_[unit.value];
  for (const std::string& text : timer.calendar) {
    // The file has been checked; a zone may have gone from the system since.
    if (auto calendar = parse_calendar(text)) entry.calendars.push_back(std::move(*calendar));
  }
  const Instant there_since = past.seen ? daemon_started_ : now.boot;
  entry.every_from = past.last_start.ns > 0 ? past.last_start : there_since;
  entry.boot_pending =
      timer.after_boot > Duration::zero() && (!past.seen || boot_due(unit) > now.boot);
  entry.missed = past.due_real_us > 0 && past.due_real_us <= now.real_us;
  // A clock that was set back must not keep the timer from counting until that time comes again.
  entry.calendar_from_us = std::min(past.last_run.value_or(now.real_us), now.real_us);
  plan(unit, entry, now);
}

void TimerSchedule::remove(UnitIndex unit) {
  const auto found = entries_.find(unit.value);
  if (found == entries_.end()) return;
  put(unit, found->second, 0);
  entries_.erase(found);
}

void TimerSchedule::put(UnitIndex unit, Entry& entry, int64_t next_us) {
  if (entry.next_us == next_us) return;
  if (entry.next_us != 0) by_time_.erase({entry.next_us, unit.value});
  entry.next_us = next_us;
  if (next_us != 0) by_time_.insert({next_us, unit.value});
  changed_.push_back(unit);
}

void TimerSchedule::plan(UnitIndex unit, Entry& entry, const Clocks& now) {
  entry.next_boot = next_boot(unit, entry);
  entry.next_calendar_us = next_calendar_us(unit, entry);
  std::optional<int64_t> next = entry.next_calendar_us;
  if (entry.next_boot) {
    const int64_t real_us = to_real_us(*entry.next_boot, now);
    if (!next || real_us < *next) next = real_us;
  }
  if (entry.missed) next = now.real_us;
  put(unit, entry, next.value_or(0));
}

bool TimerSchedule::elapsed(const Entry& entry, const Clocks& now) {
  return entry.missed || (entry.next_boot && *entry.next_boot <= now.boot) ||
         (entry.next_calendar_us && *entry.next_calendar_us <= now.real_us);
}

void TimerSchedule::started(UnitIndex unit, Instant at, const Clocks& now) {
  const auto found = entries_.find(unit.value);
  if (found == entries_.end() || (*set_)[unit].timer->every <= Duration::zero()) return;
  found->second.every_from = at;
  plan(unit, found->second, now);
}

std::vector<UnitIndex> TimerSchedule::take_elapsed(const Clocks& now) {
  std::vector<UnitIndex> units;
  // Whatever is planned anew lies later than now, so this ends.
  while (!by_time_.empty() && by_time_.begin()->first <= now.real_us) {
    const UnitIndex unit{by_time_.begin()->second};
    Entry& entry = entries_.at(unit.value);
    if (elapsed(entry, now)) {
      units.push_back(unit);
      entry.missed = false;
      entry.every_from = now.boot;
      entry.boot_pending = entry.boot_pending && boot_due(unit) > now.boot;
      entry.calendar_from_us = now.real_us;
      plan(unit, entry, now);
    } else {
      plan(unit, entry, now);
      // By a fraction of a microsecond, or because the clocks do not run quite alike.
      if (entry.next_us <= now.real_us) put(unit, entry, now.real_us + 1);
    }
  }
  return units;
}

void TimerSchedule::clock_set(const Clocks& now) {
  for (auto& [unit, entry] : entries_) {
    entry.calendar_from_us = std::min(entry.calendar_from_us, now.real_us);
    plan({unit}, entry, now);
  }
}

std::optional<int64_t> TimerSchedule::next_real_us() const {
  if (by_time_.empty()) return std::nullopt;
  return by_time_.begin()->first;
}

int64_t TimerSchedule::next_real_us(UnitIndex unit) const {
  const auto found = entries_.find(unit.value);
  return found != entries_.end() ? found->second.next_us : 0;
}

std::vector<UnitIndex> TimerSchedule::take_changed() {
  return std::exchange(changed_, {});
}

}  // namespace foster::manager
