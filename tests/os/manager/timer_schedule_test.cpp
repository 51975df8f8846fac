// When timers elapse, with both clocks in the test's hand: also what no test can do to a real
// clock.
#include <gtest/gtest.h>

#include <algorithm>

#include "daemon/manager/timer_schedule.hpp"

namespace foster::manager {
namespace {

constexpr int64_t kSecondUs = 1'000'000;
constexpr int64_t kHourUs = 3'600 * kSecondUs;
constexpr int64_t kDayUs = 24 * kHourUs;
constexpr int64_t kMidnightUs = 20'780 * kDayUs;  // some day in 2026, 00:00 UTC
constexpr Instant kDaemonStart{1'000'000'000'000};
constexpr UnitIndex kUnit{0};

using Units = std::vector<UnitIndex>;

class Rig {
 public:
  explicit Rig(const TimerSpec& timer, int64_t real_us = kMidnightUs + kHourUs)
      : now{kDaemonStart, real_us}, schedule(set_of(timer), kDaemonStart, 42) {}

  void add(const TimerSchedule::Past& past = {}) { schedule.add(kUnit, past, now); }

  /// Lets time pass, for both clocks.
  void pass(int64_t us) {
    now.boot = now.boot + std::chrono::microseconds(us);
    now.real_us += us;
  }
  /// Someone sets the clock on the wall.
  void set_clock(int64_t real_us) {
    now.real_us = real_us;
    schedule.clock_set(now);
  }
  bool elapsed() { return schedule.take_elapsed(now) == Units{kUnit}; }
  /// From now to the next time, 0: never.
  int64_t ahead_us() const {
    const int64_t next = schedule.next_real_us(kUnit);
    return next == 0 ? 0 : next - now.real_us;
  }

  Clocks now;
  TimerSchedule schedule;

 private:
  static std::shared_ptr<const UnitSet> set_of(const TimerSpec& timer) {
    UnitSpec unit;
    unit.name = "job";
    unit.command = {"/bin/true"};
    unit.timer.make() = timer;
    return std::make_shared<const UnitSet>(std::vector<UnitSpec>{unit});
  }
};

TimerSpec every(int64_t us) {
  TimerSpec timer;
  timer.every = std::chrono::microseconds(us);
  return timer;
}

TimerSpec calendar(const std::string& event) {
  TimerSpec timer;
  timer.calendar = {event};
  return timer;
}

TEST(TimerSchedule, EveryCountsFromTheBeginningAndThenFromEachStart) {
  Rig rig(every(10 * kSecondUs));
  rig.add();
  EXPECT_EQ(rig.ahead_us(), 10 * kSecondUs);
  rig.pass(10 * kSecondUs - 1);
  EXPECT_FALSE(rig.elapsed());
  rig.pass(1);
  EXPECT_TRUE(rig.elapsed());
  EXPECT_EQ(rig.ahead_us(), 10 * kSecondUs);
  rig.pass(4 * kSecondUs);
  rig.schedule.started(kUnit, rig.now.boot, rig.now);  // by hand
  EXPECT_EQ(rig.ahead_us(), 10 * kSecondUs);
  EXPECT_FALSE(rig.elapsed());
}

TEST(TimerSchedule, ALongAbsenceIsOneStart) {
  Rig rig(every(kSecondUs));
  rig.add();
  rig.pass(kHourUs);
  EXPECT_TRUE(rig.elapsed());
  EXPECT_FALSE(rig.elapsed());
  EXPECT_EQ(rig.ahead_us(), kSecondUs);
}

TEST(TimerSchedule, EveryDoesNotMindTheWallClock) {
  Rig rig(every(10 * kSecondUs));
  rig.add();
  rig.set_clock(kMidnightUs - 400 * kDayUs);
  EXPECT_FALSE(rig.elapsed());
  EXPECT_EQ(rig.ahead_us(), 10 * kSecondUs);
  rig.set_clock(kMidnightUs + 400 * kDayUs);
  EXPECT_FALSE(rig.elapsed());
  EXPECT_EQ(rig.ahead_us(), 10 * kSecondUs);
  rig.pass(10 * kSecondUs);
  EXPECT_TRUE(rig.elapsed());
}

TEST(TimerSchedule, AfterBootIsOnce) {
  TimerSpec timer;
  timer.after_boot = std::chrono::seconds(5);
  Rig rig(timer);
  rig.add();
  EXPECT_EQ(rig.ahead_us(), 5 * kSecondUs);
  rig.pass(5 * kSecondUs);
  EXPECT_TRUE(rig.elapsed());
  EXPECT_EQ(rig.ahead_us(), 0);
  EXPECT_EQ(rig.schedule.next_real_us(), std::nullopt);
  // A successor does not do it again; nor does one that comes in time leave it out.
  rig.add({.seen = true});
  EXPECT_EQ(rig.ahead_us(), 0);
  Rig early(timer);
  early.pass(kSecondUs);
  early.add({.seen = true});
  EXPECT_EQ(early.ahead_us(), 4 * kSecondUs);
}

TEST(TimerSchedule, AfterBootThenEvery) {
  TimerSpec timer = every(60 * kSecondUs);
  timer.after_boot = std::chrono::seconds(5);
  Rig rig(timer);
  rig.add();
  rig.pass(5 * kSecondUs);
  EXPECT_TRUE(rig.elapsed());
  EXPECT_EQ(rig.ahead_us(), 60 * kSecondUs);
}

TEST(TimerSchedule, AUnitThatComesLaterGetsItsAfterBootAtOnce) {
  TimerSpec timer;
  timer.after_boot = std::chrono::seconds(5);
  Rig rig(timer);
  rig.pass(kHourUs);
  rig.add();
  EXPECT_TRUE(rig.elapsed());
}

TEST(TimerSchedule, CalendarGoesByTheWallClock) {
  Rig rig(calendar("02:00 UTC"));  // it is 01:00
  rig.add();
  EXPECT_EQ(rig.ahead_us(), kHourUs);
  rig.pass(kHourUs);
  EXPECT_TRUE(rig.elapsed());
  EXPECT_EQ(rig.ahead_us(), kDayUs);
}

TEST(TimerSchedule, TheNearestOfSeveralCounts) {
  TimerSpec timer = calendar("02:00 UTC");
  timer.calendar.emplace_back("01:30 UTC");
  timer.every = std::chrono::hours(20);
  Rig rig(timer);
  rig.add();
  EXPECT_EQ(rig.ahead_us(), kHourUs / 2);
  rig.pass(kHourUs / 2);
  EXPECT_TRUE(rig.elapsed());
  EXPECT_EQ(rig.ahead_us(), kHourUs / 2);
}

TEST(TimerSchedule, AClockSetBackIsWaitedForAnew) {
  Rig rig(calendar("02:00 UTC"));
  rig.add();
  rig.pass(kHourUs);
  EXPECT_TRUE(rig.elapsed());
  rig.set_clock(kMidnightUs);
  EXPECT_FALSE(rig.elapsed());
  EXPECT_EQ(rig.ahead_us(), 2 * kHourUs);
}

TEST(TimerSchedule, AClockSetPastEventsMakesThemOneStart) {
  Rig rig(calendar("02:00 UTC"));
  rig.add();
  rig.set_clock(kMidnightUs + 10 * kDayUs);
  EXPECT_TRUE(rig.elapsed());
  EXPECT_FALSE(rig.elapsed());
  EXPECT_EQ(rig.ahead_us(), 2 * kHourUs);
}

TEST(TimerSchedule, AClockSetShortOfTheEventOnlyBringsItNearer) {
  Rig rig(calendar("02:00 UTC"));
  rig.add();
  rig.set_clock(kMidnightUs + 2 * kHourUs - kSecondUs);
  EXPECT_FALSE(rig.elapsed());
  EXPECT_EQ(rig.ahead_us(), kSecondUs);
}

TEST(TimerSchedule, APersistentTimerMakesUpForWhatWasMissed) {
  TimerSpec timer = calendar("02:00 UTC");
  timer.persistent = true;
  Rig missed(timer);
  missed.add({.last_run = kMidnightUs - 3 * kDayUs});
  EXPECT_TRUE(missed.elapsed());
  EXPECT_FALSE(missed.elapsed());
  EXPECT_EQ(missed.ahead_us(), kHourUs);
  Rig in_time(timer);
  in_time.add({.last_run = kMidnightUs - kHourUs});
  EXPECT_FALSE(in_time.elapsed());
  EXPECT_EQ(in_time.ahead_us(), kHourUs);
  Rig from_the_future(timer);
  from_the_future.add({.last_run = kMidnightUs + 100 * kDayUs});
  EXPECT_EQ(from_the_future.ahead_us(), kHourUs);
}

TEST(TimerSchedule, WhatFellDueWithoutAManagerIsNotLost) {
  Rig rig(calendar("00:59:59 UTC"));  // a second ago
  rig.add({.seen = true, .due_real_us = rig.now.real_us - kSecondUs});
  EXPECT_TRUE(rig.elapsed());
  EXPECT_EQ(rig.ahead_us(), kDayUs - kSecondUs);
}

TEST(TimerSchedule, ASuccessorCountsOnFromTheLastStart) {
  Rig rig(every(10 * kSecondUs));
  rig.pass(100 * kSecondUs);
  rig.add({.seen = true, .last_start = rig.now.boot - std::chrono::seconds(4)});
  EXPECT_EQ(rig.ahead_us(), 6 * kSecondUs);
}

TEST(TimerSchedule, JitterIsWithinItsBoundsAndTheSameForASuccessor) {
  TimerSpec timer = calendar("*:00 UTC");
  timer.jitter = std::chrono::minutes(10);
  Rig rig(timer);
  rig.add();
  std::vector<int64_t> late;
  for (int i = 0; i < 20; ++i) {
    const int64_t next = rig.now.real_us + rig.ahead_us();
    rig.add({.seen = true});
    EXPECT_EQ(rig.now.real_us + rig.ahead_us(), next);
    late.push_back(next % kHourUs);
    EXPECT_LE(late.back(), 600 * kSecondUs);
    rig.pass(rig.ahead_us());
    EXPECT_TRUE(rig.elapsed());
  }
  std::ranges::sort(late);
  EXPECT_EQ(std::ranges::adjacent_find(late), late.end());
  EXPECT_GT(late.back() - late.front(), 60 * kSecondUs);
}

TEST(TimerSchedule, WhatNeverComesWaitsForNothing) {
  Rig rig(calendar("2020-01-01 UTC"));
  rig.add();
  EXPECT_EQ(rig.schedule.next_real_us(), std::nullopt);
  rig.schedule.remove(kUnit);
  EXPECT_FALSE(rig.schedule.has(kUnit));
}

TEST(TimerSchedule, TellsWhoseTimeChanged) {
  Rig rig(every(kSecondUs));
  rig.add();
  EXPECT_EQ(rig.schedule.take_changed(), Units{kUnit});
  EXPECT_EQ(rig.schedule.take_changed(), Units{});
  rig.schedule.remove(kUnit);
  EXPECT_EQ(rig.schedule.take_changed(), Units{kUnit});
  EXPECT_EQ(rig.schedule.next_real_us(kUnit), 0);
}

}  // namespace
}  // namespace foster::manager
