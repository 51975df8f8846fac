// Restarts that nobody asked for: whether, when, how often.
#include <cerrno>
#include <csignal>

#include "daemon/core/restart_policy.hpp"
#include "tests/unit/core/scenario.hpp"

namespace foster::core::test {
namespace {

UnitSpec with(RestartPolicy policy) {
  UnitSpec spec = simple("web");
  spec.restart.policy = policy;
  return spec;
}

UnitState after(UnitSpec spec, LastExit how) {
  spec.restart.delay = 1s;
  Scenario s({spec});
  s.running("web");
  s.exited("web", how);
  return s.record("web").state;
}

TEST(RestartPolicy, DecidesByTheEnd) {
  UnitSpec tolerant = with(RestartPolicy::on_failure);
  tolerant.success_exit_codes = {0, 143};
  EXPECT_EQ(after(with(RestartPolicy::always), exit_code(0)), UnitState::backoff);
  EXPECT_EQ(after(with(RestartPolicy::always), killed_by(9)), UnitState::backoff);
  EXPECT_EQ(after(with(RestartPolicy::on_failure), exit_code(0)), UnitState::exited);
  EXPECT_EQ(after(with(RestartPolicy::on_failure), exit_code(1)), UnitState::backoff);
  EXPECT_EQ(after(with(RestartPolicy::on_failure), killed_by(15)), UnitState::backoff);
  EXPECT_EQ(after(tolerant, exit_code(143)), UnitState::exited);
  EXPECT_EQ(after(tolerant, killed_by(15)), UnitState::backoff) << "no death by signal is clean";
  EXPECT_EQ(after(with(RestartPolicy::never), exit_code(0)), UnitState::exited);
  EXPECT_EQ(after(with(RestartPolicy::never), exit_code(1)), UnitState::failed);
}

TEST(RestartPolicy, AFailedOneshotIsTriedAgain) {
  UnitSpec spec = oneshot("setup");
  spec.restart.policy = RestartPolicy::on_failure;
  Scenario s({spec});
  s.running("setup");
  s.exited("setup", exit_code(1));
  s.expect("acknowledge #1", "setup: starting (exit)", "spawn setup #2", "settled");
}

TEST(Restart, WithoutADelayNeedsNoTimer) {
  Scenario s({simple("web")});
  s.running("web");
  s.exited("web", killed_by(SIGKILL));
  s.expect("acknowledge #1", "web: starting (exit)", "spawn web #2");
  EXPECT_EQ(s.supervisor().next_deadline(), std::nullopt);
  EXPECT_EQ(s.record("web").restarts, 1U);
}

TEST(Restart, AFailedSpawnIsAnEndLikeAnyOther) {
  UnitSpec spec = simple("web");
  spec.restart.delay = 1s;
  Scenario s({spec});
  s.begin();
  s.forget();
  s.spawn_failed("web", ENOENT, "cannot execute /x: No such file or directory");
  s.expect("acknowledge #1",
           "web: backoff (spawn failed), cannot execute /x: No such file or directory", "settled");
  EXPECT_EQ(s.record("web").exits, 0U) << "nothing was reaped";
  EXPECT_EQ(s.record("web").last_exit.kind, ExitKind::spawn);
  EXPECT_EQ(s.record("web").last_exit.value, ENOENT);
  s.pass(1s);
  s.spawned("web");
  EXPECT_EQ(s.record("web").detail, "");
}

TEST(Restart, TheDelayGrowsToItsMaximumAndStartsAfreshAfterALongRun) {
  UnitSpec spec = simple("web");
  spec.restart.delay = 1s;
  spec.restart.factor = 3;
  spec.restart.max_delay = 8s;
  spec.restart.reset_after = 60s;
  Scenario s({spec});
  s.begin();
  const auto fails_after = [&](Duration run) {
    s.spawned("web");
    s.pass(run);
    s.exited("web", exit_code(1));
    const Duration delay = *s.supervisor().next_deadline() - s.now();
    s.pass(delay);
    return delay;
  };
  EXPECT_EQ(fails_after(1s), 1s);
  EXPECT_EQ(fails_after(1s), 3s);
  EXPECT_EQ(fails_after(1s), 8s);
  EXPECT_EQ(fails_after(59s), 8s);
  EXPECT_EQ(fails_after(60s), 1s);
  EXPECT_EQ(fails_after(0s), 3s);
  EXPECT_EQ(s.record("web").restarts, 6U);
}

TEST(Restart, TheJitterVariesTheDelayBothWaysAndNoFurther) {
  RestartSpec spec;
  spec.delay = 10s;
  spec.jitter = 0.2;
  Random random(1);
  bool below = false;
  bool above = false;
  for (int i = 0; i < 1000; ++i) {
    const Duration delay = restart_delay(spec, 0, random);
    EXPECT_GE(delay, 8s);
    EXPECT_LE(delay, 12s);
    below = below || delay < 9s;
    above = above || delay > 11s;
  }
  EXPECT_TRUE(below && above);
  Random one(7);
  Random same(7);
  EXPECT_EQ(restart_delay(spec, 3, one), restart_delay(spec, 3, same));
}

TEST(Restart, AnEndlessRowOfFailuresStaysAtTheMaximum) {
  RestartSpec spec;
  Random random(1);
  EXPECT_EQ(restart_delay(spec, 4'000'000'000U, random), spec.max_delay);
  spec.delay = 0s;
  EXPECT_EQ(restart_delay(spec, 4'000'000'000U, random), 0s);
}

TEST(Restart, TooManyWithinTheIntervalEndInFailed) {
  UnitSpec spec = simple("web");
  spec.restart.limit = 3;
  spec.restart.limit_interval = 10s;
  Scenario s({spec});
  s.begin();
  for (int i = 0; i < 3; ++i) {
    s.exited("web", exit_code(1));
    s.expect_state("web", UnitState::starting, Cause::exit);
    s.pass(3s);
  }
  s.forget();
  s.exited("web", exit_code(1));
  s.expect("acknowledge #4", "web: failed (rate limited), restarted 3 times within 10s");
  EXPECT_EQ(s.record("web").restarts, 3U);
}

TEST(Restart, WhatFailedLastComesBeforeTheLimit) {
  UnitSpec spec = simple("web");
  spec.restart.limit = 1;
  Scenario s({spec});
  s.begin();
  for (int i = 0; i < 2; ++i)
    s.spawn_failed("web", 98, "cannot listen on tcp://*:80: already in use");
  EXPECT_EQ(s.record("web").detail,
            "cannot listen on tcp://*:80: already in use (restarted 1 time within 10s)");
}

TEST(Restart, SlowRestartsAreNeverTooMany) {
  UnitSpec spec = simple("web");
  spec.restart.limit = 3;
  spec.restart.limit_interval = 10s;
  Scenario s({spec});
  s.begin();
  for (int i = 0; i < 100; ++i) {
    s.exited("web", exit_code(1));
    s.expect_state("web", UnitState::starting, Cause::exit);
    s.pass(3334ms);
  }
}

TEST(Restart, ARequestForgetsFailuresAndRate) {
  UnitSpec spec = simple("web");
  spec.restart.limit = 1;
  spec.restart.delay = 1s;
  spec.restart.factor = 2;
  Scenario s({spec});
  s.begin();
  s.exited("web", exit_code(1));
  s.pass(1s);
  s.exited("web", exit_code(1));
  s.expect_state("web", UnitState::failed, Cause::rate_limited);
  s.forget();
  s.start("web");
  s.expect("web: starting (request)", "spawn web #3", "reply 1: web job 1");
  s.spawned("web");
  s.exited("web", exit_code(1));
  s.expect_state("web", UnitState::backoff, Cause::exit);
  EXPECT_EQ(*s.supervisor().next_deadline() - s.now(), 1s);
}

TEST(Restart, AStartInBackoffDoesNotWait) {
  UnitSpec spec = simple("web");
  spec.restart.delay = 1min;
  Scenario s({spec});
  s.running("web");
  s.exited("web", exit_code(1));
  s.forget();
  s.start("web");
  s.expect("web: starting (request)", "spawn web #2", "reply 1: web job 1");
  EXPECT_EQ(s.supervisor().next_deadline(), std::nullopt);
  EXPECT_EQ(s.record("web").restarts, 0U) << "it was not automatic";
}

TEST(Restart, ALateTimerAndALeapOfTheClockDoItOnce) {
  UnitSpec spec = simple("web");
  spec.restart.delay = 1s;
  Scenario s({spec});
  s.running("web");
  s.exited("web", exit_code(1));
  s.forget();
  s.leap(24h);
  s.expect("web: starting (exit)", "spawn web #2");
  s.leap(24h);
  s.expect_nothing();
}

TEST(Restart, TextsAndCodes) {
  RestartSpec spec;
  spec.limit = 1;
  spec.limit_interval = 90s;
  EXPECT_EQ(rate_limit_text(spec), "restarted 1 time within 1min 30s");
  EXPECT_EQ(exit_code_for(exit_code(3)), 3);
  EXPECT_EQ(exit_code_for(killed_by(9)), 137);
  EXPECT_EQ(exit_code_for({.kind = ExitKind::core_dump, .value = 11}), 139);
  EXPECT_EQ(exit_code_for({.kind = ExitKind::spawn, .value = ENOENT}), 127);
  EXPECT_EQ(exit_code_for({.kind = ExitKind::spawn, .value = EACCES}), 126);
}

}  // namespace
}  // namespace foster::core::test
