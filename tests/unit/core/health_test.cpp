// Units that are up and do not do their work: checks, watchdog, memory, time; what follows.
#include <csignal>

#include "tests/unit/core/scenario.hpp"

namespace foster::core::test {
namespace {

UnitSpec checked() {
  UnitSpec spec = simple("web");
  spec.health.make() = {.kind = HealthKind::tcp, .interval = 10s, .timeout = 5s, .failures = 2};
  return spec;
}

/// One check, from when it is due to its end.
void check(Scenario& s, int code) {
  s.pass(10s);
  const uint64_t attempt = s.record("web").check.attempt.value;
  ASSERT_NE(attempt, 0U);
  s.ran("web", attempt, code);
}

TEST(Health, GoesFromStartingToHealthyToUnhealthyAndRestarts) {
  UnitSpec spec = checked();
  spec.restart.policy = RestartPolicy::never;
  Scenario s({spec});
  s.running("web");
  EXPECT_EQ(s.record("web").health, Health::starting);
  check(s, 0);
  EXPECT_EQ(s.record("web").health, Health::healthy);
  check(s, 1);
  check(s, 0);
  check(s, 1);
  EXPECT_EQ(s.record("web").health, Health::healthy) << "not in a row";
  s.forget();
  check(s, 1);
  s.expect("spawn web #6 health-check for #1", "acknowledge #6",
           "web: stopping (health), 2 health checks in a row failed",
           "kill web #1 15 group continue");
  s.exited("web", killed_by(SIGTERM));
  s.expect("acknowledge #1", "web: starting (health), 2 health checks in a row failed",
           "spawn web #7");
}

TEST(Health, ACheckThatHangsIsKilledAndHasFailed) {
  Scenario s({checked()});
  s.running("web");
  s.pass(10s);
  s.spawned("web", 2);
  s.forget();
  s.pass(5s);
  s.expect("kill web #2 9 group");
  s.exited("web", killed_by(SIGKILL), 2);
  EXPECT_EQ(s.record("web").check_failures, 1U);
}

TEST(Health, FailuresInTheStartPeriodDoNotCount) {
  UnitSpec spec = checked();
  spec.health.make().start_period = 25s;
  spec.health.make().failures = 1;
  spec.health.make().action = HealthAction::stop;
  Scenario s({spec});
  s.running("web");
  check(s, 1);
  check(s, 1);
  EXPECT_EQ(s.record("web").health, Health::starting);
  check(s, 1);
  s.exited("web", killed_by(SIGTERM), 1);
  s.expect_state("web", UnitState::failed, Cause::health);
}

TEST(Health, CanBeLookedAtOnly) {
  UnitSpec spec = checked();
  spec.health.make().failures = 1;
  spec.health.make().successes = 2;
  spec.health.make().action = HealthAction::none;
  Scenario s({spec});
  s.running("web");
  check(s, 1);
  EXPECT_EQ(s.record("web").health, Health::unhealthy);
  check(s, 0);
  EXPECT_EQ(s.record("web").health, Health::unhealthy);
  check(s, 0);
  EXPECT_EQ(s.record("web").health, Health::healthy);
  s.expect_state("web", UnitState::running, Cause::boot);
}

TEST(Health, AStopKillsACheckAndWaitsForIt) {
  Scenario s({checked()});
  s.running("web");
  s.pass(10s);
  s.spawned("web", 2);
  s.forget();
  s.stop("web");
  s.expect("web: stopping (request)", "kill web #2 9 group", "kill web #1 15 group continue",
           "reply 1: web job 1");
  s.exited("web", killed_by(SIGTERM), 1);
  s.expect("acknowledge #1");
  s.exited("web", killed_by(SIGKILL), 2);
  s.expect("acknowledge #2", "web: stopped (request)");
}

TEST(Health, TooMuchMemoryIsActedOnAtOnce) {
  UnitSpec spec = simple("web");
  spec.health.make().memory_max = 100 * 1024 * 1024;
  Scenario s({spec});
  s.running("web");
  s.pass(10s);
  s.expect("measure memory web #1");
  s.handle(MemoryMeasured{s.index("web"), {1}, 50 * 1024 * 1024});
  s.pass(10s);
  s.forget();
  s.handle(MemoryMeasured{s.index("web"), {1}, 120 * 1024 * 1024});
  s.expect("web: stopping (health), uses 120 MiB of memory, more than 100 MiB",
           "kill web #1 15 group continue");
}

UnitSpec watched(RestartPolicy policy) {
  UnitSpec spec = simple("web");
  spec.health.make().watchdog = 10s;
  spec.restart.policy = policy;
  return spec;
}

Notified alive(Scenario& s) {
  return {.unit = s.index("web"), .watchdog = true};
}

TEST(Watchdog, HasToBeFedAndAborts) {
  UnitSpec spec = watched(RestartPolicy::on_watchdog);
  spec.stop.timeout = 5s;
  Scenario s({spec});
  s.running("web");
  s.pass(9s);
  s.handle(alive(s));
  s.pass(9s);
  s.expect_nothing();
  s.pass(1s);
  s.expect("web: stopping (watchdog), did not report in time", "kill web #1 6 main continue");
  s.pass(5s);
  s.expect("kill web #1 9 group");
  s.exited("web", killed_by(SIGKILL));
  s.expect_state("web", UnitState::starting, Cause::watchdog);
}

TEST(Watchdog, CanBeChangedAndTriggeredByTheUnit) {
  Scenario s({watched(RestartPolicy::never)});
  s.running("web");
  s.handle({Notified{.unit = s.index("web"), .watchdog_interval = 60s}});
  s.pass(59s);
  s.expect_nothing();
  s.handle({Notified{.unit = s.index("web"), .watchdog_trigger = true}});
  s.exited("web", killed_by(SIGABRT));
  s.expect_state("web", UnitState::failed, Cause::watchdog);
}

TEST(Watchdog, IsNotBlamedForAnAbsentManager) {
  UnitRecord record = left(UnitState::running, 5);
  record.watchdog = 10s;
  record.watchdog_deadline = {950'000'000'000};
  Scenario s({watched(RestartPolicy::never)}, after_crash(record, 5));
  s.begin(false);
  s.spawned("web");
  s.forget();
  s.pass(9s);
  s.expect_nothing();
  s.pass(1s);
  s.expect_state("web", UnitState::stopping, Cause::watchdog);
}

TEST(Runtime, ARunCanBeTooLong) {
  UnitSpec spec = simple("web");
  spec.health.make().max_runtime = 60s;
  Scenario s({spec});
  s.running("web");
  s.pass(50s);
  s.handle({Notified{.unit = s.index("web"), .extend_timeout = 30s}});
  s.pass(29s);
  s.expect_nothing();
  s.pass(1s);
  s.expect("web: stopping (max runtime), ran for as long as it may",
           "kill web #1 15 group continue");
}

TEST(Limit, StartsAUnitInItsStead) {
  UnitSpec spec = simple("web");
  spec.restart.limit = 1;
  spec.restart.limit_action = LimitAction::start_unit;
  spec.restart.limit_unit.make() = to("rescue");
  UnitSpec rescue = simple("rescue");
  rescue.enabled = false;
  Scenario s({rescue, spec});
  s.begin();
  s.exited("web", exit_code(1));
  s.forget();
  s.exited("web", exit_code(1));
  s.expect("acknowledge #2", "web: failed (rate limited), restarted 1 time within 10s",
           "rescue: starting (on failure)", "spawn rescue #3 because of web");
}

TEST(Limit, CanEndAll) {
  UnitSpec spec = simple("web");
  spec.restart.limit = 1;
  spec.restart.limit_action = LimitAction::stop_all;
  Scenario s({spec});
  s.begin();
  s.exited("web", exit_code(1));
  s.exited("web", exit_code(9));
  EXPECT_TRUE(s.supervisor().shutting_down());
  EXPECT_EQ(s.supervisor().exit_code(), 9);
}

TEST(Limit, ResetForgetsTheFailure) {
  UnitSpec spec = simple("web");
  spec.restart.limit = 1;
  Scenario s({spec});
  s.begin();
  s.exited("web", exit_code(1));
  s.exited("web", exit_code(1));
  s.forget();
  s.request(Verb::reset, {"web"});
  s.expect("web: stopped (request)", "reply 1: web job 1");
  s.expect_job("web", 1, JobResult::done);
  EXPECT_EQ(s.record("web").window_count, 0U);
}

TEST(Policy, ExitCodesCanForbidAndForceARestart) {
  UnitSpec spec = simple("web");
  spec.restart.prevent_exit_codes = {7};
  spec.restart.force_exit_codes = {0};
  Scenario s({spec});
  s.begin();
  s.exited("web", exit_code(0));
  s.expect_state("web", UnitState::starting, Cause::exit);
  s.exited("web", exit_code(7));
  s.expect_state("web", UnitState::failed, Cause::exit);
}

TEST(Policy, OnAbnormalIsForSignals) {
  UnitSpec spec = simple("web");
  spec.restart.policy = RestartPolicy::on_abnormal;
  Scenario s({spec});
  s.begin();
  s.exited("web", killed_by(SIGSEGV));
  s.expect_state("web", UnitState::starting, Cause::exit);
  s.exited("web", exit_code(1));
  s.expect_state("web", UnitState::failed, Cause::exit);
}

TEST(OnFailure, StartsAUnitWithTheFacts) {
  UnitSpec spec = oneshot("job");
  spec.hooks.make().on_failure = to("alarm");
  UnitSpec alarm = oneshot("alarm");
  alarm.enabled = false;
  Scenario s({alarm, spec});
  s.begin();
  s.forget();
  s.exited("job", exit_code(1));
  s.expect("acknowledge #1", "job: failed (exit)", "alarm: starting (on failure)",
           "spawn alarm #2 because of job", "settled");
}

TEST(OnFailure, TwoThatAnswerEachOtherComeToAnEnd) {
  UnitSpec a = oneshot("a");
  a.restart.policy = RestartPolicy::never;
  a.restart.limit = 2;
  UnitSpec b = a;
  b.name = "b";
  b.enabled = false;
  a.hooks.make().on_failure = to("b");
  b.hooks.make().on_failure = to("a");
  Scenario s({a, b});
  s.begin();
  for (int i = 0; i < 2; ++i) {
    s.exited("a", exit_code(1));
    s.exited("b", exit_code(1));
  }
  s.exited("a", exit_code(1));
  s.expect_state("b", UnitState::failed, Cause::rate_limited);
  s.expect_state("a", UnitState::failed, Cause::exit);
}

TEST(Timer, StartsWhatIsNotActive) {
  UnitSpec spec = oneshot("job");
  spec.enabled = false;
  Scenario s({spec});
  s.begin();
  s.forget();
  s.handle(TimerElapsed{s.index("job")});
  s.expect("job: starting (timer)", "spawn job #1");
  s.handle(TimerElapsed{s.index("job")});
  s.expect_nothing();
  s.exited("job", exit_code(0));
  s.mask("job", true);
  s.forget();
  s.handle(TimerElapsed{s.index("job")});
  s.expect_nothing();
}

}  // namespace
}  // namespace foster::core::test
