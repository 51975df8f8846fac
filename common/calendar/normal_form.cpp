#include "common/calendar/normal_form.hpp"

#include <algorithm>
#include <array>

#include "common/calendar/civil_time.hpp"
#include "common/calendar/fields.hpp"
#include "common/calendar/zone.hpp"

namespace foster {
namespace {

using calendar::kSecond;

constexpr std::array kShortDays{"Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"};
constexpr unsigned kEveryDay = 0x7f;
constexpr int kDaysInWeek = 7;
constexpr int kRangeFrom = 3;  // so many days in a row are written as a range

void normalise(CalendarField& field) {
  for (CalendarPart& part : field) {
    if (part.stop >= 0) part.stop -= (part.stop - part.start) % part.step;
    if (part.stop == part.start) part.stop = -1, part.step = 0;
  }
  std::ranges::sort(field);
  field.erase(std::unique(field.begin(), field.end()), field.end());
}

std::string padded(int32_t number, int width) {
  std::string digits = std::to_string(number);
  if (digits.size() < static_cast<size_t>(width))
    digits.insert(0, static_cast<size_t>(width) - digits.size(), '0');
  return digits;
}

std::string field_text(const CalendarField& field, int width = 2) {
  if (field.empty()) return "*";
  std::string text;
  for (const CalendarPart& part : field) {
    if (!text.empty()) text += ',';
    text += padded(part.start, width);
    if (part.stop >= 0) text += ".." + padded(part.stop, width);
    if (part.step > 0 && (part.stop < 0 || part.step != 1)) text += "/" + std::to_string(part.step);
  }
  return text;
}

std::string second_text(int32_t second_us, int width) {
  std::string text = padded(second_us / kSecond, width);
  if (second_us % kSecond != 0) text += "." + padded(second_us % kSecond, 6);
  return text;
}

std::string seconds_text(const CalendarField& field) {
  if (field == CalendarField{{0, -1, kSecond}}) return "*";
  std::string text;
  for (const CalendarPart& part : field) {
    if (!text.empty()) text += ',';
    text += second_text(part.start, 2);
    if (part.stop >= 0) text += ".." + second_text(part.stop, 2);
    if (part.step > 0 && (part.stop < 0 || part.step != kSecond))
      text += "/" + second_text(part.step, 1);
  }
  return text;
}

std::string weekdays_text(unsigned days) {
  std::string text;
  for (int day = 0; day < kDaysInWeek;) {
    int length = 0;
    while (day + length < kDaysInWeek && (days >> (day + length) & 1) != 0)
      ++length;
    const int shown = length >= kRangeFrom ? length : std::min(length, 1);
    if (shown > 0) text += (text.empty() ? "" : ",") + std::string(kShortDays[day]);
    if (shown > 1) text += ".." + std::string(kShortDays[day + shown - 1]);
    day += std::max(shown, 1);
  }
  return text;
}

}  // namespace

void calendar::normalise(Calendar& calendar) {
  for (CalendarField* field : {&calendar.year, &calendar.month, &calendar.day, &calendar.hour,
                               &calendar.minute, &calendar.second})
    foster::normalise(*field);
}

std::string format_calendar(const Calendar& calendar) {
  std::string text;
  if (calendar.weekdays != kEveryDay) text = weekdays_text(calendar.weekdays) + " ";
  text += field_text(calendar.year, 4) + "-" + field_text(calendar.month);
  text += (calendar.day_from_end ? "~" : "-") + field_text(calendar.day);
  text += " " + field_text(calendar.hour) + ":" + field_text(calendar.minute) + ":" +
          seconds_text(calendar.second);
  if (!calendar.zone.empty()) text += " " + calendar.zone;
  return text;
}

std::string format_elapse(const Calendar& calendar, int64_t real_us) {
  const calendar::Zone zone(calendar.zone);
  const calendar::CivilTime time = calendar::civil_time(real_us + zone.offset_us(real_us));
  return std::string(kShortDays[static_cast<size_t>(weekday_of(time))]) + " " +
         padded(time.year, 4) + "-" + padded(time.month, 2) + "-" + padded(time.day, 2) + " " +
         padded(time.hour, 2) + ":" + padded(time.minute, 2) + ":" +
         second_text(time.second_us, 2) + " " + zone.abbreviation(real_us);
}

}  // namespace foster
