// Hooks and conditions: their place in the sequences, their failures, their time.
#include <csignal>

#include "tests/unit/core/scenario.hpp"

namespace foster::core::test {
namespace {

UnitSpec hooked(const std::vector<HookPoint>& points) {
  UnitSpec spec = with_hooks(simple("web"), points);
  spec.restart.policy = RestartPolicy::never;
  return spec;
}

TEST(Hook, TheWayUpAndDownInOrder) {
  UnitSpec spec = hooked({HookPoint::pre_start, HookPoint::post_start, HookPoint::pre_stop,
                          HookPoint::stop, HookPoint::post_stop});
  spec.hooks.make().hooks[0].commands.push_back({"/bin/second"});
  Scenario s({spec});
  s.begin();
  s.ran("web", 1);
  s.ran("web", 2);
  s.spawned("web");
  s.expect("web: starting (boot)", "spawn web #1 pre-start", "acknowledge #1",
           "spawn web #2 pre-start command 1", "acknowledge #2", "spawn web #3",
           "spawn web #4 post-start for #3");
  s.expect_step("web", UnitState::starting, Step::post_start);
  s.ran("web", 4);
  s.expect("acknowledge #4", "web: running (boot)", "settled");
  s.stop("web");
  s.expect("web: stopping (request)", "spawn web #5 pre-stop for #3", "reply 1: web job 1");
  s.ran("web", 5);
  s.expect("acknowledge #5", "spawn web #6 stop for #3");
  s.ran("web", 6);
  s.expect("acknowledge #6", "kill web #3 15 group continue");
  s.exited("web", killed_by(SIGTERM));
  s.expect("acknowledge #3", "spawn web #7 post-stop for #3");
  s.ran("web", 7);
  s.expect("acknowledge #7", "web: stopped (request)");
  s.expect_job("web", 1, JobResult::done);
}

TEST(Hook, AStopCommandThatDoesTheWorkNeedsNoSignal) {
  Scenario s({hooked({HookPoint::stop})});
  s.running("web");
  s.stop("web");
  s.spawned("web", 2);
  s.exited("web", exit_code(0), 1);
  s.forget();
  s.exited("web", exit_code(0), 2);
  s.expect("acknowledge #2", "web: stopped (request)");
}

TEST(Hook, StopTimeoutRunsFromTheStopCommandAndKillsAll) {
  UnitSpec spec = hooked({HookPoint::stop});
  spec.stop.timeout = 5s;
  Scenario s({spec});
  s.running("web");
  s.stop("web");
  s.spawned("web", 2);
  s.forget();
  s.pass(5s);
  s.expect("kill web #2 9 group", "kill web #1 9 group");
}

TEST(Hook, AFailedPreStartFailsTheAttemptByWayOfPostStop) {
  Scenario s({hooked({HookPoint::pre_start, HookPoint::post_stop})});
  s.begin();
  s.forget();
  s.ran("web", 1, 3);
  s.expect("acknowledge #1", "web: stopping (hook), pre-start: /bin/hook exited with 3",
           "spawn web #2 post-stop");
  s.ran("web", 2);
  s.expect("acknowledge #2", "web: failed (hook), pre-start: /bin/hook exited with 3", "settled");
  EXPECT_EQ(s.record("web").exits, 0U);
}

TEST(Hook, AFailedPostStartStopsWhatRuns) {
  Scenario s({hooked({HookPoint::post_start})});
  s.begin();
  s.spawned("web");
  s.start("web");
  s.forget();
  s.ran("web", 2, 1);
  s.expect("acknowledge #2", "web: stopping (hook), post-start: /bin/hook exited with 1",
           "kill web #1 15 group continue");
  s.exited("web", killed_by(SIGTERM));
  s.expect("acknowledge #1", "web: failed (hook), post-start: /bin/hook exited with 1", "settled");
  s.expect_job("web", 1, JobResult::failed);
}

TEST(Hook, FailuresOnTheWayDownAreOnlyNoted) {
  Scenario s({hooked({HookPoint::pre_stop, HookPoint::stop, HookPoint::post_stop})});
  s.running("web");
  s.stop("web");
  s.ran("web", 2, 1);
  s.handle(SpawnFailed{s.index("web"), {3}, 2, "cannot execute"});
  s.exited("web", killed_by(SIGTERM), 1);
  s.ran("web", 4, 1);
  s.expect_state("web", UnitState::stopped, Cause::request);
}

TEST(Hook, OneThatTakesTooLongIsKilledAndHasFailed) {
  Scenario s({hooked({HookPoint::pre_start})});
  s.begin();
  s.spawned("web", 1);
  s.forget();
  s.pass(30s);
  s.expect("kill web #1 9 group");
  s.exited("web", killed_by(SIGKILL), 1);
  s.expect("acknowledge #1",
           "web: failed (hook), pre-start: /bin/hook did not end within 30s and was killed",
           "settled");
}

TEST(Hook, WhatItLeavesIsKilledAndWaitedFor) {
  Scenario s({hooked({HookPoint::pre_start})});
  s.begin();
  s.spawned("web", 1);
  s.forget();
  s.main_exited("web", exit_code(0), 1);
  s.expect("kill web #1 9 group");
  s.group_emptied("web", 1);
  s.expect("acknowledge #1", "spawn web #2");
}

TEST(Hook, AStopKillsWhatIsInItsWay) {
  Scenario s({hooked({HookPoint::pre_start, HookPoint::post_stop})});
  s.begin();
  s.spawned("web", 1);
  s.forget();
  s.stop("web");
  s.expect("web: stopping (request)", "kill web #1 9 group", "reply 1: web job 1");
  s.exited("web", killed_by(SIGKILL), 1);
  s.expect("acknowledge #1", "spawn web #2 post-stop");
  s.ran("web", 2);
  s.expect_state("web", UnitState::stopped, Cause::request);
}

TEST(Hook, PostStopRunsWhenTheProcessEndsByItself) {
  Scenario s({hooked({HookPoint::post_stop})});
  s.running("web");
  s.exited("web", exit_code(1));
  s.expect("acknowledge #1", "web: stopping (exit)", "spawn web #2 post-stop for #1");
  s.ran("web", 2);
  s.expect("acknowledge #2", "web: failed (exit)");
}

TEST(Hook, AHurriedShutdownRunsNoMore) {
  Scenario s({hooked({HookPoint::pre_stop, HookPoint::post_stop})});
  s.running("web");
  s.shutdown();
  s.spawned("web", 2);
  s.forget();
  s.shutdown();
  s.expect("kill web #2 9 group", "kill web #1 9 group");
  s.exited("web", killed_by(SIGKILL), 2);
  s.exited("web", killed_by(SIGKILL), 1);
  s.expect("acknowledge #2", "acknowledge #1", "web: stopped (shutdown)", "end with 0");
}

TEST(Hook, ReloadByCommandIsAJobThatCanFail) {
  Scenario s({hooked({HookPoint::reload})});
  s.running("web");
  s.request(Verb::reload, {"web"});
  s.expect("spawn web #2 reload for #1", "reply 1: web job 1");
  s.expect_step("web", UnitState::running, Step::reload);
  s.ran("web", 2, 1);
  s.expect_job("web", 1, JobResult::failed);
  s.expect_state("web", UnitState::running, Cause::boot);
  s.request(Verb::reload, {"web"});
  s.ran("web", 3, 0);
  s.expect_job("web", 2, JobResult::done);
}

TEST(Hook, AReloadAfterOneThatWasKilledWaitsForItsEndAndBeginsAnew) {
  UnitSpec spec = hooked({HookPoint::reload});
  spec.hooks.make().hooks[static_cast<size_t>(HookPoint::reload)].timeout = 5s;
  Scenario s({spec});
  s.running("web");
  s.request(Verb::reload, {"web"});
  s.forget();
  s.pass(5s);
  s.expect("kill web #2 9 group");
  s.expect_job("web", 1, JobResult::failed);
  s.expect_step("web", UnitState::running, Step::none);
  s.request(Verb::reload, {"web"});
  s.expect("reply 2: web job 2");
  s.pass(1s);
  s.expect("kill web #2 9 group");
  s.expect_job("web", 2, JobResult::none);
  s.exited("web", killed_by(SIGKILL), 2);
  s.expect("acknowledge #2", "spawn web #3 reload for #1");
  s.exited("web", exit_code(0), 3);
  s.expect_job("web", 2, JobResult::done);
}

TEST(Hook, ReloadIsRefusedWhereItCannotBe) {
  Scenario s({simple("app"), hooked({HookPoint::reload})});
  s.begin();
  s.forget();
  s.request(Verb::reload, {"web"});
  s.spawned("app");
  s.forget();
  s.request(Verb::reload, {"app"});
  s.expect("reply 2: cannot reload app");
}

TEST(Hook, ReloadBySignalIsDoneAtOnce) {
  UnitSpec spec = simple("web");
  spec.hooks.make().reload_signal = SIGHUP;
  Scenario s({spec});
  s.running("web");
  s.request(Verb::reload, {"web"});
  s.expect("kill web #1 1 main", "reply 1: web job 1");
  s.expect_job("web", 1, JobResult::done);
}

TEST(Hook, ANotifyUnitsReloadEndsWithItsWord) {
  UnitSpec spec = simple("web");
  spec.type = ServiceType::notify;
  spec.hooks.make().reload_signal = SIGHUP;
  Scenario s({spec});
  s.begin();
  s.spawned("web");
  s.handle({Notified{.unit = s.index("web"), .ready = true}});
  s.request(Verb::reload, {"web"});
  s.handle({Notified{.unit = s.index("web"), .reloading = true}});
  s.expect_step("web", UnitState::running, Step::reload);
  s.expect_job("web", 1, JobResult::none);
  s.pass(10s);
  s.handle({Notified{.unit = s.index("web"), .ready = true}});
  s.expect_job("web", 1, JobResult::done);
  s.expect_step("web", UnitState::running, Step::none);
  s.request(Verb::reload, {"web"});
  s.handle({Notified{.unit = s.index("web"), .reloading = true}});
  s.pass(30s);
  s.expect_job("web", 2, JobResult::failed);
}

UnitSpec conditional(bool negated = false) {
  UnitSpec spec = simple("web");
  spec.conditions.push_back({.kind = ConditionKind::path_exists, .value = "/x"});
  spec.conditions.push_back(
      {.kind = ConditionKind::command, .negated = negated, .command = {"/bin/test"}});
  return spec;
}

TEST(Condition, AllAreMetBeforeTheStart) {
  Scenario s({conditional()});
  s.begin();
  s.expect("web: starting (boot)", "check conditions web (token 1)");
  s.handle(ConditionsChecked{s.index("web"), 7, false, "stale"});
  s.expect_nothing();
  s.handle(ConditionsChecked{s.index("web"), 1, true, {}});
  s.ran("web", 1);
  s.expect("spawn web #1 condition command 1", "acknowledge #1", "spawn web #2");
}

TEST(Condition, OneThatIsNotMetSkipsAndSaysWhy) {
  Scenario s({conditional()});
  s.begin();
  s.start("web");
  s.forget();
  s.handle(ConditionsChecked{s.index("web"), 1, false, "path /x does not exist"});
  s.expect("web: skipped (condition), path /x does not exist", "settled");
  s.expect_job("web", 1, JobResult::done);
}

TEST(Condition, ANegatedCommandHasToFail) {
  for (const int code : {0, 1}) {
    Scenario s({conditional(true)});
    s.begin();
    s.handle(ConditionsChecked{s.index("web"), 1, true, {}});
    s.ran("web", 1, code);
    EXPECT_EQ(s.record("web").state, code == 0 ? UnitState::skipped : UnitState::starting);
  }
}

TEST(Condition, AStopMeanwhileEndsItWithoutPostStop) {
  Scenario s({with_hooks(conditional(), {HookPoint::post_stop})});
  s.begin();
  s.forget();
  s.stop("web");
  s.expect("web: stopping (request)", "web: stopped (request)", "reply 1: web job 1", "settled");
  s.handle(ConditionsChecked{s.index("web"), 1, true, {}});
  s.expect_nothing();
}

/// What a manager finds that crashed while the unit was at `step`, with this hook under way.
Recovered amid(UnitState state, Step step, SideRun hook, uint64_t live_main, uint64_t live_hook) {
  UnitRecord record = left(state, 5);
  record.step = step;
  record.was_up = state != UnitState::starting;
  record.deadline = {};
  record.hook = hook;
  if (live_main == 0) record.exit_attempt = record.attempt;
  Recovered found = after_crash(record, live_main);
  found.last_attempt = {9};
  found.units[0].live_hook = {live_hook};
  return found;
}

TEST(HookRecovery, AHookThatRunsGoesOn) {
  const SideRun hook{.role = Role::pre_start, .attempt = {7}};
  Scenario s({hooked({HookPoint::pre_start})},
             amid(UnitState::starting, Step::pre_start, hook, 0, 7));
  s.begin(false);
  s.expect_nothing();
  s.ran("web", 7);
  s.expect("acknowledge #7", "spawn web #10");
}

TEST(HookRecovery, OneThatGotLostIsSpawnedAgain) {
  const SideRun hook{.role = Role::pre_start, .attempt = {7}};
  Scenario s({hooked({HookPoint::pre_start})},
             amid(UnitState::starting, Step::pre_start, hook, 0, 0));
  s.begin(false);
  s.expect("spawn web #10 pre-start");
}

TEST(HookRecovery, AStopGoesOnWhereItWas) {
  const SideRun hook{.role = Role::pre_stop, .attempt = {7}};
  Recovered found = amid(UnitState::stopping, Step::pre_stop, hook, 5, 7);
  found.units[0].record->goal = Goal::down;
  found.units[0].record->cause = Cause::request;
  Scenario s({hooked({HookPoint::pre_stop})}, found);
  s.begin(false);
  s.expect("settled");
  s.spawned("web", 5);
  s.ran("web", 7);
  s.expect("acknowledge #7", "kill web #5 15 group continue");
}

TEST(HookRecovery, TheLastStepIsNotDoneTwice) {
  const SideRun hook{.role = Role::post_stop, .attempt = {7}};
  Recovered found = amid(UnitState::stopping, Step::post_stop, hook, 0, 7);
  found.units[0].record->goal = Goal::down;
  Scenario s({hooked({HookPoint::post_stop})}, found);
  s.begin(false);
  s.forget();
  s.ran("web", 7);
  s.expect("acknowledge #7", "web: stopped (request)");
}

}  // namespace
}  // namespace foster::core::test
