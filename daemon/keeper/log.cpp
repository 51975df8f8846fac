#include "daemon/keeper/log.hpp"

#include <cstdarg>
#include <cstdint>
#include <cstdio>
#include <ctime>
#include <poll.h>
#include <unistd.h>

namespace foster::keeper {
namespace {

constexpr size_t kLineMax = 1024;  // well below PIPE_BUF: poll(2) promises that much room in a pipe

unsigned long dropped_lines = 0;

const char* level_text(Level level) {
  switch (level) {
    case Level::info:
      return "info";
    case Level::warning:
      return "warning";
    case Level::error:
      return "error";
  }
  return "unknown";
}

/// A day since 1970 as year, month and day of the Gregorian calendar. gmtime_r(3) would read the
/// time zone's file at its first call, and the keeper reads no files.
struct Date {
  int64_t year;
  int64_t month;
  int64_t day;
};

bool leap(int64_t year) {
  return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
}

Date date_of(int64_t days) {
  static constexpr int8_t kMonthDays[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
  int64_t year = 1970;
  for (; days >= (leap(year) ? 366 : 365); ++year)
    days -= leap(year) ? 366 : 365;
  int month = 0;
  for (;; ++month) {
    const int in_month = kMonthDays[month] + (month == 1 && leap(year) ? 1 : 0);
    if (days < in_month) break;
    days -= in_month;
  }
  return {year, month + 1, days + 1};
}

bool writable() {
  pollfd standard_error{STDERR_FILENO, POLLOUT, 0};
  return poll(&standard_error, 1, 0) == 1 && (standard_error.revents & POLLOUT) != 0;
}

int stamp(char* line, size_t size, Level level) {
  timespec now{};
  clock_gettime(CLOCK_REALTIME, &now);
  const Date date = date_of(now.tv_sec / 86400);
  const int64_t second = now.tv_sec % 86400;
  return snprintf(
      line, size, "%04d-%02d-%02dT%02d:%02d:%02d.%03dZ %s keeper: ", static_cast<int>(date.year),
      static_cast<int>(date.month), static_cast<int>(date.day), static_cast<int>(second / 3600),
      static_cast<int>(second / 60 % 60), static_cast<int>(second % 60),
      static_cast<int>(now.tv_nsec / 1'000'000), level_text(level));
}

bool put(Level level, const char* format, va_list arguments) {
  if (!writable()) return false;
  char line[kLineMax];
  size_t used = static_cast<size_t>(stamp(line, sizeof line, level));
  const int text = vsnprintf(line + used, sizeof line - used, format, arguments);
  if (text > 0) used += static_cast<size_t>(text);
  if (used > sizeof line - 1) used = sizeof line - 1;
  line[used++] = '\n';
  return write(STDERR_FILENO, line, used) == static_cast<ssize_t>(used);
}

[[gnu::format(printf, 2, 3)]] bool put_line(Level level, const char* format, ...) {
  va_list arguments;
  va_start(arguments, format);
  const bool done = put(level, format, arguments);
  va_end(arguments);
  return done;
}

}  // namespace

void log(Level level, const char* format, ...) {
  if (dropped_lines > 0 &&
      put_line(Level::warning, "lines lost: stderr took none count=%lu", dropped_lines))
    dropped_lines = 0;
  va_list arguments;
  va_start(arguments, format);
  if (!put(level, format, arguments)) ++dropped_lines;
  va_end(arguments);
}

}  // namespace foster::keeper
