// When events come next: over the ends of months, leap days, and changes of the clocks.
#include <gtest/gtest.h>

#include <chrono>
#include <cstdlib>
#include <optional>
#include <string>
#include <vector>

#include "common/calendar/calendar.hpp"

namespace foster {
namespace {

Calendar read(std::string_view text) {
  auto calendar = parse_calendar(text);
  EXPECT_TRUE(calendar) << calendar.error().message;
  return calendar.value_or(Calendar{});
}

/// The real time at which an event that says just one time comes.
int64_t at(const std::string& text) {
  const auto found = next_elapse(read(text), 0);
  EXPECT_TRUE(found) << text;
  return found.value_or(0);
}

std::vector<std::string> elapses(std::string_view text, const std::string& after, int count = 3) {
  const Calendar calendar = read(text);
  std::vector<std::string> found;
  std::optional<int64_t> time = at(after);
  for (int i = 0; i < count; ++i) {
    time = next_elapse(calendar, *time);
    if (!time) break;
    found.push_back(format_elapse(calendar, *time));
  }
  return found;
}

using Times = std::vector<std::string>;

TEST(Elapse, IsLaterThanTheTimeGiven) {
  EXPECT_EQ(elapses("daily UTC", "2026-11-22 00:00 UTC", 1), Times{"Mon 2026-11-23 00:00:00 UTC"});
  EXPECT_EQ(elapses("*:*:* UTC", "2026-11-22 00:00 UTC", 2),
            (Times{"Sun 2026-11-22 00:00:01 UTC", "Sun 2026-11-22 00:00:02 UTC"}));
  EXPECT_EQ(elapses("*:*:0/0.25 UTC", "2026-11-22 00:00 UTC", 1),
            Times{"Sun 2026-11-22 00:00:00.250000 UTC"});
}

TEST(Elapse, Weekdays) {
  EXPECT_EQ(elapses("Mon..Fri 09:00 UTC", "2026-11-19 10:00 UTC"),
            (Times{"Fri 2026-11-20 09:00:00 UTC", "Mon 2026-11-23 09:00:00 UTC",
                   "Tue 2026-11-24 09:00:00 UTC"}));
}

TEST(Elapse, EndsOfMonths) {
  EXPECT_EQ(elapses("*-*-31 UTC", "2026-01-31 00:00 UTC"),
            (Times{"Tue 2026-03-31 00:00:00 UTC", "Sun 2026-05-31 00:00:00 UTC",
                   "Fri 2026-07-31 00:00:00 UTC"}));
  EXPECT_EQ(elapses("*-*~01 UTC", "2027-12-31 00:00 UTC"),
            (Times{"Mon 2028-01-31 00:00:00 UTC", "Tue 2028-02-29 00:00:00 UTC",
                   "Fri 2028-03-31 00:00:00 UTC"}));
  EXPECT_EQ(elapses("Mon *-05~07/1 UTC", "2026-01-01 UTC", 2),
            (Times{"Mon 2026-05-25 00:00:00 UTC", "Mon 2027-05-31 00:00:00 UTC"}));
  EXPECT_EQ(elapses("*-2~3..5/2 UTC", "2026-01-01 UTC", 2),
            (Times{"Tue 2026-02-24 00:00:00 UTC", "Thu 2026-02-26 00:00:00 UTC"}));
}

TEST(Elapse, LeapDays) {
  EXPECT_EQ(elapses("*-02-29 UTC", "2096-03-01 UTC", 2),
            (Times{"Fri 2104-02-29 00:00:00 UTC", "Wed 2108-02-29 00:00:00 UTC"}));
  EXPECT_EQ(elapses("Sun *-02-29 UTC", "2026-01-01 UTC", 1), Times{"Sun 2032-02-29 00:00:00 UTC"});
}

TEST(Elapse, WhatNeverComesIsFoundQuickly) {
  const auto before = std::chrono::steady_clock::now();
  for (const char* never : {"*-02-30 UTC", "*-04,06,09,11-31", "2020-01-01 UTC",
                            "*-02-30 *:*:0/0.000001 Europe/London"})
    EXPECT_EQ(elapses(never, "2026-01-01 UTC", 1), Times{}) << never;
  EXPECT_LT(std::chrono::steady_clock::now() - before, std::chrono::seconds(5));
}

TEST(Elapse, ALeftOutHourDoesNotCome) {
  // Clocks went from 02:00 to 03:00 on 2026-03-29.
  EXPECT_EQ(elapses("02:30 Europe/Berlin", "2026-03-28 12:00 UTC", 2),
            (Times{"Mon 2026-03-30 02:30:00 CEST", "Tue 2026-03-31 02:30:00 CEST"}));
  EXPECT_EQ(elapses("*:0/30 Europe/Berlin", "2026-03-29 00:00 UTC"),
            (Times{"Sun 2026-03-29 01:30:00 CET", "Sun 2026-03-29 03:00:00 CEST",
                   "Sun 2026-03-29 03:30:00 CEST"}));
  EXPECT_EQ(elapses("Sun *-*-* 02:59:59.999999 Europe/Berlin", "2026-03-28 UTC", 1),
            Times{"Sun 2026-04-05 02:59:59.999999 CEST"});
  EXPECT_EQ(elapses("*-*-* *:*:0/0.000001 Europe/Berlin", "2026-03-29 00:59:59.999999 UTC", 1),
            Times{"Sun 2026-03-29 03:00:00 CEST"});
}

TEST(Elapse, ARepeatedTimeComesOnce) {
  // Clocks went from 03:00 CEST back to 02:00 CET on 2026-10-25.
  EXPECT_EQ(elapses("02:30 Europe/Berlin", "2026-10-24 12:00 UTC", 2),
            (Times{"Sun 2026-10-25 02:30:00 CEST", "Mon 2026-10-26 02:30:00 CET"}));
  EXPECT_EQ(elapses("02,03:00/30 Europe/Berlin", "2026-10-25 00:20 UTC"),
            (Times{"Sun 2026-10-25 02:30:00 CEST", "Sun 2026-10-25 03:00:00 CET",
                   "Sun 2026-10-25 03:30:00 CET"}));
  EXPECT_EQ(elapses("*-*-* 02:*:0/0.000001 Europe/Berlin", "2026-10-25 01:30 UTC", 1),
            Times{"Mon 2026-10-26 02:00:00 CET"});
}

TEST(Elapse, WhatComesEveryHourGoesOnThroughARepeatedOne) {
  EXPECT_EQ(elapses("*:0/30 Europe/Berlin", "2026-10-25 00:00 UTC", 5),
            (Times{"Sun 2026-10-25 02:30:00 CEST", "Sun 2026-10-25 02:00:00 CET",
                   "Sun 2026-10-25 02:30:00 CET", "Sun 2026-10-25 03:00:00 CET",
                   "Sun 2026-10-25 03:30:00 CET"}));
  EXPECT_EQ(elapses("*:*:* Europe/Berlin", "2026-10-25 00:59:59 UTC", 1),
            Times{"Sun 2026-10-25 02:00:00 CET"});
  EXPECT_EQ(elapses("0..23:59 Europe/Berlin", "2026-10-25 00:58 UTC", 2),
            (Times{"Sun 2026-10-25 02:59:00 CEST", "Sun 2026-10-25 02:59:00 CET"}));
}

TEST(Elapse, TheLocalZone) {
  const char* former = std::getenv("TZ");
  const std::optional<std::string> kept =
      former ? std::optional<std::string>(former) : std::nullopt;
  setenv("TZ", "Asia/Tokyo", 1);
  EXPECT_EQ(elapses("09:00", "2026-01-01 00:00 UTC", 1), Times{"Fri 2026-01-02 09:00:00 JST"});
  // A named zone leaves no trace.
  EXPECT_EQ(elapses("09:00 Europe/Berlin", "2026-01-01 UTC", 1),
            Times{"Thu 2026-01-01 09:00:00 CET"});
  EXPECT_EQ(std::string(std::getenv("TZ")), "Asia/Tokyo");
  EXPECT_EQ(elapses("09:00", "2026-01-01 00:00 UTC", 1), Times{"Fri 2026-01-02 09:00:00 JST"});
  if (kept)
    setenv("TZ", kept->c_str(), 1);
  else
    unsetenv("TZ");
}

}  // namespace
}  // namespace foster
