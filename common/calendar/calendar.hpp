// Calendar events in the syntax of systemd.time(7): "Mon..Fri 09:00", "*-*-01 00:00 UTC", "hourly".
// An event is a set of local times; when one of them comes next depends on the zone it is read in.
//
// Where the clocks go forward the local times left out do not come. Where they go back, a time that
// is there twice comes the first time only, except in events that come in every hour: these go on
// through the hour that is repeated.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/result.hpp"

namespace foster {

/// `start` alone; with a step, `start` and every step after it until `stop`, or without a stop
/// until the end of what the field can be. Seconds are counted in microseconds.
struct CalendarPart {
  int32_t start = 0;
  int32_t stop = -1;  // -1: none
  int32_t step = 0;   // 0: none
  auto operator<=>(const CalendarPart&) const = default;
};

/// One of the parts; any value when there are none.
using CalendarField = std::vector<CalendarPart>;

struct Calendar {
  uint8_t weekdays = 0x7f;  // bit 0 is Monday
  CalendarField year;
  CalendarField month;
  CalendarField day;
  bool day_from_end = false;  // days count from the month's last, which is 1
  CalendarField hour;
  CalendarField minute;
  CalendarField second;
  std::string zone;  // "UTC" or a name of the IANA database; empty: the local zone
  bool operator==(const Calendar&) const = default;
};

/// Whether a zone is known is asked of the system's database of zones. The error says "cannot read
/// "Mno 09:00" as a calendar event: "Mno" at 1 is no day of the week", counting characters from 1.
[[nodiscard]] Result<Calendar> parse_calendar(std::string_view text);

/// The normalised form: "Mon..Fri *-*-* 09:00:00".
[[nodiscard]] std::string format_calendar(const Calendar& calendar);

/// The first time later than `after`, both in microseconds of the wall clock since 1970; nothing
/// when it never comes again. Local and named zones are the C library's: not for two threads at
/// once.
[[nodiscard]] std::optional<int64_t> next_elapse(const Calendar& calendar, int64_t after_us);

/// "Mon 2026-11-23 09:00:00 UTC": a time as it reads in the calendar's zone, with its microseconds
/// only where there are any.
[[nodiscard]] std::string format_elapse(const Calendar& calendar, int64_t real_us);

}  // namespace foster
