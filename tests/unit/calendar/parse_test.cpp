// What is read as a calendar event, in its normalised form, and what is said of mistakes.
#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

#include "common/calendar/calendar.hpp"

namespace foster {
namespace {

std::string normal_form(std::string_view text) {
  const auto calendar = parse_calendar(text);
  return calendar ? format_calendar(*calendar) : calendar.error().message;
}

std::string mistake(std::string_view text) {
  const auto calendar = parse_calendar(text);
  return calendar ? "read as " + format_calendar(*calendar) : calendar.error().message;
}

TEST(Calendar, Shorthands) {
  EXPECT_EQ(normal_form("minutely"), "*-*-* *:*:00");
  EXPECT_EQ(normal_form("hourly"), "*-*-* *:00:00");
  EXPECT_EQ(normal_form("Daily"), "*-*-* 00:00:00");
  EXPECT_EQ(normal_form("weekly"), "Mon *-*-* 00:00:00");
  EXPECT_EQ(normal_form("monthly"), "*-*-01 00:00:00");
  EXPECT_EQ(normal_form("quarterly"), "*-01,04,07,10-01 00:00:00");
  EXPECT_EQ(normal_form("semiannually"), "*-01,07-01 00:00:00");
  EXPECT_EQ(normal_form("yearly"), "*-01-01 00:00:00");
  EXPECT_EQ(normal_form("annually"), "*-01-01 00:00:00");
  EXPECT_EQ(normal_form("daily UTC"), "*-*-* 00:00:00 UTC");
}

TEST(Calendar, Weekdays) {
  EXPECT_EQ(normal_form("Mon..Fri 09:00"), "Mon..Fri *-*-* 09:00:00");
  EXPECT_EQ(normal_form("Sat,Thu,Mon..Wed,Sat..Sun"), "Mon..Thu,Sat,Sun *-*-* 00:00:00");
  EXPECT_EQ(normal_form("Wed..Wed,Wed *-1"), "Wed *-*-01 00:00:00");
  EXPECT_EQ(normal_form("Wed, 17:48"), "Wed *-*-* 17:48:00");
  EXPECT_EQ(normal_form("monday *-12-* 17:00"), "Mon *-12-* 17:00:00");
  EXPECT_EQ(normal_form("Mon-Fri"), "Mon..Fri *-*-* 00:00:00");
  EXPECT_EQ(normal_form("Mon..Sun 1:00"), "*-*-* 01:00:00");
  EXPECT_EQ(normal_form("Mon,Tue"), "Mon,Tue *-*-* 00:00:00");
}

TEST(Calendar, DatesAndTimes) {
  EXPECT_EQ(normal_form("2003-03-05 05:40"), "2003-03-05 05:40:00");
  EXPECT_EQ(normal_form("Mon,Sun 12-*-* 2,1:23"), "Mon,Sun 2012-*-* 01,02:23:00");
  EXPECT_EQ(normal_form("99-1-1"), "1999-01-01 00:00:00");
  EXPECT_EQ(normal_form("10-15"), "*-10-15 00:00:00");
  EXPECT_EQ(normal_form("Wed *-1"), "Wed *-*-01 00:00:00");
  EXPECT_EQ(normal_form("12,14,13,12:20,10,30"), "*-*-* 12,13,14:10,20,30:00");
  EXPECT_EQ(normal_form("12..14:10,20,30"), "*-*-* 12..14:10,20,30:00");
  EXPECT_EQ(normal_form("mon,fri *-1/2-1,3 *:30:45"), "Mon,Fri *-01/2-01,03 *:30:45");
  EXPECT_EQ(normal_form("2003-02..04-05"), "2003-02..04-05 00:00:00");
  EXPECT_EQ(normal_form("*:2/3"), "*-*-* *:02/3:00");
  EXPECT_EQ(normal_form("*:5..10/2"), "*-*-* *:05..09/2:00");
  EXPECT_EQ(normal_form("5..5:00"), "*-*-* 05:00:00");
  EXPECT_EQ(normal_form("05:40:23.4200004/3.1700005"), "*-*-* 05:40:23.420000/3.170001");
  EXPECT_EQ(normal_form("*:*:*"), "*-*-* *:*:*");
  EXPECT_EQ(normal_form("*-02~03"), "*-02~03 00:00:00");
  EXPECT_EQ(normal_form("Mon *-05~07/1"), "Mon *-05~07/1 00:00:00");
  EXPECT_EQ(normal_form("@1395716396"), "2014-03-25 02:59:56 UTC");
}

TEST(Calendar, Zones) {
  EXPECT_EQ(normal_form("2003-03-05 05:40 utc"), "2003-03-05 05:40:00 UTC");
  EXPECT_EQ(normal_form("weekly Pacific/Auckland"), "Mon *-*-* 00:00:00 Pacific/Auckland");
  EXPECT_EQ(mistake("daily Middle/Earth"),
            "cannot read \"daily Middle/Earth\" as a calendar event: \"Middle/Earth\" at 7 is no "
            "time zone that is known");
  EXPECT_EQ(mistake("daily ../../etc/passwd").substr(0, 6), "cannot");
}

TEST(Calendar, NormalFormsReadAsTheSame) {
  for (const char* text : {"Sat,Thu,Mon..Wed 1/2:3..9/2:0/0.25 UTC", "*-02~03..05/2", "99-*-7..9",
                           "*:*:*", "*:*:05.5"}) {
    const auto calendar = parse_calendar(text);
    ASSERT_TRUE(calendar) << calendar.error().message;
    const auto again = parse_calendar(format_calendar(*calendar));
    ASSERT_TRUE(again) << again.error().message;
    EXPECT_EQ(*again, *calendar) << text;
  }
}

TEST(Calendar, MistakesAreNamedWithTheirPlace) {
  const std::vector<std::pair<std::string, std::string>> cases{
      {"", "it is empty"},
      {"Mno 09:00", "\"Mno\" at 1 is no day of the week; did you mean Mon?"},
      {"dialy", "\"dialy\" at 1 is not known; did you mean daily?"},
      {"xyzzy",
       "\"xyzzy\" at 1 is neither a day of the week nor a word such as "
       "\"daily\""},
      {"Sat..Mon", "\"Sat..Mon\" at 1 ends before it begins; a week begins on Monday"},
      {"Mon Tue",
       "\"Tue\" at 5 is neither a date nor a time of day; a date is year-month-day or "
       "month-day, a time hour:minute"},
      {"Mon 25:00", "\"25\" at 5 is no hour, which goes from 0 to 23"},
      {"12:60", "\"60\" at 4 is no minute, which goes from 0 to 59"},
      {"12:30:60", "\"60\" at 7 is no second, which goes from 0 to 59"},
      {"*-13-01", "\"13\" at 3 is no month, which goes from 1 to 12"},
      {"*-02-32", "\"32\" at 6 is no day, which goes from 1 to 31"},
      {"1969-01-01", "\"1969\" at 1 is no year, which goes from 1970 to 2199"},
      {"*:0/0", "\"0/0\" at 3 has a step of 0"},
      {"*:0/60", "\"0/60\" at 3 steps over everything that could follow"},
      {"*:*/5", "\"*/5\" at 3 cannot be; begin with the first value, as in \"0/5\""},
      {"*:9..5", "\"9..5\" at 3 ends before it begins"},
      {"1,,2:00", "\"1,,2\" at 1 lacks a number for the hour"},
      {"12:", "\"12:\" at 1 lacks a number for the minute"},
      {"12",
       "\"12\" at 1 is neither a date nor a time of day; a date is year-month-day or "
       "month-day, a time hour:minute"},
      {"12:30 2020-01-01", "\"2020-01-01\" at 7 follows the time of day"},
      {"2020-01-01 2020", "\"2020\" at 12 is no time of day"},
      {"1.5:00", "\"1.5\" at 1 is no hour"},
      {"*:*:1.", "\"1.\" at 5 lacks a digit after the point"},
      {"99999999999999999999:00", "\"99999999999999999999\" at 1 is too large"},
  };
  for (const auto& [text, expected] : cases)
    EXPECT_EQ(mistake(text), "cannot read \"" + text + "\" as a calendar event: " + expected);
}

}  // namespace
}  // namespace foster
