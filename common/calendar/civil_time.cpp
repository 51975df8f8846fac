#include "common/calendar/civil_time.hpp"

#include <algorithm>

#include "common/calendar/fields.hpp"

namespace foster::calendar {
namespace {

constexpr int64_t kMinuteUs = int64_t{60} * kSecond;
constexpr int64_t kHourUs = 60 * kMinuteUs;
constexpr int64_t kDayUs = 24 * kHourUs;
constexpr int32_t kEpochWeekday = 3;  // 1970-01-01 was a Thursday

int64_t floor_divide(int64_t dividend, int64_t divisor) {
  return dividend / divisor - (dividend % divisor < 0 ? 1 : 0);
}

bool leap(int32_t year) {
  return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
}

int32_t days_in(int32_t year, int32_t month) {
  constexpr int32_t kDays[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
  return month == 2 && leap(year) ? 29 : kDays[month - 1];
}

/// Days from 1970-01-01. Years begin in March here, so that the leap day is a year's last.
int64_t day_number(int32_t year, int32_t month, int32_t day) {
  const int64_t years = month <= 2 ? year - 1 : year;
  const int64_t months = (month + 9) % 12;
  const int64_t era = floor_divide(years, 400);
  const int64_t year_of_era = years - era * 400;
  const int64_t day_of_year = (153 * months + 2) / 5 + day - 1;
  return era * 146'097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year -
         719'468;
}

CivilTime date_of(int64_t number) {
  const int64_t days = number + 719'468;
  const int64_t era = floor_divide(days, 146'097);
  const int64_t day_of_era = days - era * 146'097;
  const int64_t year_of_era =
      (day_of_era - day_of_era / 1'460 + day_of_era / 36'524 - day_of_era / 146'096) / 365;
  const int64_t day_of_year =
      day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
  const int64_t months = (5 * day_of_year + 2) / 153;
  CivilTime date;
  date.day = static_cast<int32_t>(day_of_year - (153 * months + 2) / 5 + 1);
  date.month = static_cast<int32_t>(months < 10 ? months + 3 : months - 9);
  date.year = static_cast<int32_t>(year_of_era + era * 400 + (date.month <= 2 ? 1 : 0));
  return date;
}

/// The part's first value that is not below `least`.
std::optional<int32_t> first_of(const CalendarPart& part, int32_t least, int32_t last) {
  if (part.start >= least) return part.start;
  if (part.step == 0) return std::nullopt;
  const int64_t steps = (int64_t{least} - part.start + part.step - 1) / part.step;
  const int64_t value = part.start + steps * part.step;
  if (value > (part.stop >= 0 ? part.stop : last)) return std::nullopt;
  return static_cast<int32_t>(value);
}

std::optional<int32_t> first_of(const CalendarField& field, int32_t least, int32_t last) {
  if (least > last) return std::nullopt;
  if (field.empty()) return least;
  std::optional<int32_t> best;
  for (const CalendarPart& part : field) {
    const std::optional<int32_t> value = first_of(part, least, last);
    if (value && *value <= last && (!best || *value < *best)) best = value;
  }
  return best;
}

/// The field of days in a month of that length, counted from its first.
CalendarField days_from_first(const CalendarField& from_end, int32_t length) {
  CalendarField days = from_end;
  for (CalendarPart& part : days) {
    const int32_t start = length + 1 - part.start;
    const bool range = part.stop >= 0;
    part.start = range ? length + 1 - part.stop : start;
    // A range's end may be before the month's first day; there is nothing to come of it then.
    part.stop = range ? std::max(start, 0) : -1;
  }
  return days;
}

class Search {
 public:
  Search(const Calendar& calendar, int64_t from_us)
      : calendar_(calendar), from_(civil_time(from_us)) {}

  std::optional<int64_t> run() {
    std::optional<int32_t> year = first_of(calendar_.year, from_.year, kYears.last);
    for (; year; year = first_of(calendar_.year, *year + 1, kYears.last))
      if (const auto found = in_year(*year)) return found;
    return std::nullopt;
  }

 private:
  std::optional<int64_t> in_year(int32_t year) {
    const int32_t least = year == from_.year ? from_.month : kMonths.first;
    std::optional<int32_t> month = first_of(calendar_.month, least, kMonths.last);
    for (; month; month = first_of(calendar_.month, *month + 1, kMonths.last))
      if (const auto found = in_month(year, *month)) return found;
    return std::nullopt;
  }

  std::optional<int64_t> in_month(int32_t year, int32_t month) {
    const bool now = year == from_.year && month == from_.month;
    const int32_t last = days_in(year, month);
    const CalendarField days =
        calendar_.day_from_end ? days_from_first(calendar_.day, last) : calendar_.day;
    std::optional<int32_t> day = first_of(days, now ? from_.day : kDays.first, last);
    for (; day; day = first_of(days, *day + 1, last)) {
      const int64_t number = day_number(year, month, *day);
      if ((calendar_.weekdays >> weekday_of(CivilTime{year, month, *day}) & 1) == 0) continue;
      const auto found = in_day(now && *day == from_.day ? from_ : CivilTime{});
      if (found) return number * kDayUs + *found;
    }
    return std::nullopt;
  }

  /// Within a day, not before the time of day of `least`.
  std::optional<int64_t> in_day(const CivilTime& least) {
    std::optional<int32_t> hour = first_of(calendar_.hour, least.hour, kHours.last);
    for (; hour; hour = first_of(calendar_.hour, *hour + 1, kHours.last)) {
      const auto found = in_hour(*hour == least.hour ? least : CivilTime{});
      if (found) return *hour * kHourUs + *found;
    }
    return std::nullopt;
  }

  std::optional<int64_t> in_hour(const CivilTime& least) {
    std::optional<int32_t> minute = first_of(calendar_.minute, least.minute, kMinutes.last);
    for (; minute; minute = first_of(calendar_.minute, *minute + 1, kMinutes.last)) {
      const auto second =
          first_of(calendar_.second, *minute == least.minute ? least.second_us : 0, kSeconds.last);
      if (second) return *minute * kMinuteUs + *second;
    }
    return std::nullopt;
  }

  const Calendar& calendar_;
  const CivilTime from_;
};

}  // namespace

CivilTime civil_time(int64_t civil_us) {
  const int64_t day = floor_divide(civil_us, kDayUs);
  const int64_t rest = civil_us - day * kDayUs;
  CivilTime time = date_of(day);
  time.hour = static_cast<int32_t>(rest / kHourUs);
  time.minute = static_cast<int32_t>(rest % kHourUs / kMinuteUs);
  time.second_us = static_cast<int32_t>(rest % kMinuteUs);
  return time;
}

int64_t civil_us(const CivilTime& time) {
  return day_number(time.year, time.month, time.day) * kDayUs + time.hour * kHourUs +
         time.minute * kMinuteUs + time.second_us;
}

int32_t weekday_of(const CivilTime& time) {
  const int64_t day = day_number(time.year, time.month, time.day) + kEpochWeekday;
  return static_cast<int32_t>(day - floor_divide(day, 7) * 7);
}

std::optional<int64_t> first_civil(const Calendar& calendar, int64_t from_us) {
  return Search(calendar, from_us).run();
}

}  // namespace foster::calendar
