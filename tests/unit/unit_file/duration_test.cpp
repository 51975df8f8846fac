// Durations as text, both ways.

#include <gtest/gtest.h>
#include <random>

#include "common/unit/duration_text.hpp"

namespace foster {
namespace {

using namespace std::chrono_literals;

Duration parsed(std::string_view text) {
  const Result<Duration> duration = parse_duration(text);
  EXPECT_TRUE(duration) << text << ": " << (duration ? "" : duration.error().message);
  return duration.value_or(Duration(-1));
}

std::string said(std::string_view text) {
  const Result<Duration> duration = parse_duration(text);
  return duration ? "right: " + format_duration(*duration) : duration.error().message;
}

TEST(DurationText, WhatIsRead) {
  EXPECT_EQ(parsed("0s"), 0s);
  EXPECT_EQ(parsed("200ms"), 200ms);
  EXPECT_EQ(parsed("1min 30s"), 90s);
  EXPECT_EQ(parsed("1min30s"), 90s);
  EXPECT_EQ(parsed(" 1 min  30 s "), 90s);
  EXPECT_EQ(parsed("1.5h"), 90min);
  EXPECT_EQ(parsed("0.000000001s"), 1ns);
  EXPECT_EQ(parsed("2d 3us 4ns"), 48h + 3us + 4ns);
  EXPECT_EQ(parsed("3650d"), kDurationMax);
}

TEST(DurationText, WhatIsSaidOtherwise) {
  const std::string expected = "expected a duration such as \"200ms\", \"10s\" or \"1min 30s\"";
  EXPECT_EQ(said(""), "empty; " + expected);
  EXPECT_EQ(said("  "), "empty; " + expected);
  EXPECT_EQ(said("5"), "a number needs its unit: \"5s\", \"5ms\", ...");
  EXPECT_EQ(said("1min 30"), "a number needs its unit: \"30s\", \"30ms\", ...");
  EXPECT_EQ(said("1.5"), "a number needs its unit: \"1.5s\", \"1.5ms\", ...");
  EXPECT_EQ(said("-1s"), "a duration cannot be negative");
  EXPECT_EQ(said("s"), expected);
  EXPECT_EQ(said("never"), expected);
  EXPECT_EQ(said("1.s"), "a digit is missing after the point; " + expected);
  EXPECT_EQ(said("5m"), "\"m\" may mean minutes or milliseconds; write min or ms");
  EXPECT_EQ(said("5 seconds"), "\"seconds\" is no unit of time; write s");
  EXPECT_EQ(said("5y"), "\"y\" is no unit of time; ns, us, ms, s, min, h and d are");
  EXPECT_EQ(said("0.5ns"), "\"0.5ns\" is finer than a nanosecond");
  EXPECT_EQ(said("3651d"), "longer than the longest duration, 3650d");
  EXPECT_EQ(said("3650d 1ns"), "longer than the longest duration, 3650d");
  EXPECT_EQ(said("99999999999999999999999999s"), "longer than the longest duration, 3650d");
}

TEST(DurationText, WhatIsShown) {
  EXPECT_EQ(format_duration(0s), "0s");
  EXPECT_EQ(format_duration(90s), "1min 30s");
  EXPECT_EQ(format_duration(1500ms), "1s 500ms");
  EXPECT_EQ(format_duration(24h + 1ns), "1d 1ns");
  EXPECT_EQ(format_duration(-5s), "-5s");
}

TEST(DurationText, WhatIsShownIsReadBackAsTheSame) {
  std::mt19937_64 random(7);
  for (int i = 0; i < 10'000; ++i) {
    const Duration duration(static_cast<int64_t>(random() >> (random() % 64)) %
                            kDurationMax.count());
    if (duration.count() < 0) continue;
    ASSERT_EQ(parsed(format_duration(duration)), duration);
  }
}

}  // namespace
}  // namespace foster
