// Dates of the Gregorian calendar as numbers, and the search in them. No zones here: a civil time
// is what a clock on the wall shows, counted in microseconds as if it were UTC.
#pragma once

#include <cstdint>
#include <optional>

#include "common/calendar/calendar.hpp"

namespace foster::calendar {

struct CivilTime {
  int32_t year = 1970;
  int32_t month = 1;
  int32_t day = 1;
  int32_t hour = 0;
  int32_t minute = 0;
  int32_t second_us = 0;
};

[[nodiscard]] CivilTime civil_time(int64_t civil_us);
[[nodiscard]] int64_t civil_us(const CivilTime& time);
[[nodiscard]] int32_t weekday_of(const CivilTime& time);  // 0 is Monday

/// The first civil time of the event that is not before `from_us`.
[[nodiscard]] std::optional<int64_t> first_civil(const Calendar& calendar, int64_t from_us);

}  // namespace foster::calendar
