// A manager that takes over from one that crashed: what it finds, what it makes of it.
#include <csignal>

#include "tests/unit/core/scenario.hpp"

namespace foster::core::test {
namespace {

UnitRecord wanted_down(UnitRecord record) {
  record.goal = Goal::down;
  record.cause = Cause::request;
  return record;
}

TEST(Recovery, WhatRunsGoesOnUntouched) {
  Scenario s({simple("web")}, after_crash(left(UnitState::running, 5), 5));
  s.begin(false);
  s.expect("settled");
  s.spawned("web");
  s.expect_nothing();
  EXPECT_EQ(s.record("web").pid, 1005);
  s.exited("web", exit_code(1));
  s.expect("acknowledge #5", "web: starting (exit)", "spawn web #6");
}

TEST(Recovery, ASpawnThatGotLostIsMadeUpForAndNotCounted) {
  Scenario s({simple("web")}, after_crash(left(UnitState::starting, 5), 0));
  s.begin(false);
  s.expect("spawn web #6");
  EXPECT_EQ(s.record("web").exits, 0U);
  EXPECT_EQ(s.record("web").restarts, 0U);
}

TEST(Recovery, AStopOfWhatNeverReachedTheKeeperIsDone) {
  UnitRecord record = wanted_down(left(UnitState::stopping, 5));
  record.job = {7};
  record.job_verb = Verb::stop;
  Scenario s({simple("web")}, after_crash(record, 0));
  s.begin(false);
  s.expect("web: stopped (request)", "settled");
  s.expect_state("web", UnitState::stopped, Cause::request);
  s.expect_job("web", 7, JobResult::done);
}

TEST(Recovery, AnEndThatIsRecordedButNotAcknowledgedIsOnlyAcknowledged) {
  Scenario s({simple("web")}, after_crash(left(UnitState::backoff, 5), 5));
  s.begin(false);
  s.expect("settled");
  s.spawned("web");
  s.expect_nothing();
  s.exited("web", exit_code(1));
  s.expect("acknowledge #5");
  EXPECT_EQ(s.record("web").exits, 1U);
  s.pass(5s);
  s.expect("web: starting (boot)", "spawn web #6");
}

TEST(Recovery, AnEndThatIsNotRecordedIsCountedOnceWhenItIsToldAgain) {
  UnitRecord record = left(UnitState::running, 5);
  record.step = Step::command;
  record.was_up = false;
  Scenario s({oneshot("setup")}, after_crash(record, 5));
  s.begin(false);
  s.expect_nothing();
  s.exited("setup", exit_code(0));
  s.expect("acknowledge #5", "setup: exited (exit)", "settled");
  s.exited("setup", exit_code(0));
  s.expect("acknowledge #5");
  EXPECT_EQ(s.record("setup").exits, 1U);
}

TEST(Recovery, WhatTheKeeperWasThoughtNotToKnowIsAcknowledgedWhenItEnds) {
  Scenario s({simple("web")}, after_crash(left(UnitState::running, 5), 0));
  s.begin(false);
  s.expect("web: starting (boot)", "spawn web #6");
  s.exited("web", exit_code(1), 5);
  s.expect("acknowledge #5");
  s.expect_state("web", UnitState::starting, Cause::boot);
}

TEST(Recovery, AnAttemptNewerThanTheRecordIsTakenOver) {
  Scenario s({simple("web")}, after_crash(left(UnitState::exited, 5), 9));
  s.begin(false);
  s.expect_nothing();
  s.expect_state("web", UnitState::starting, Cause::boot);
  s.spawned("web");
  s.expect("web: running (boot)", "settled");
  EXPECT_EQ(s.supervisor().last_attempt().value, 9U);
}

TEST(Recovery, WithoutARecordWhatLivesGetsWhatItRequires) {
  Recovered found = after_crash({}, 9);
  found.units[0].record.reset();
  UnitSpec db = simple("db");
  db.enabled = false;
  UnitSpec app = simple("app");
  app.depends.make().requires_units.push_back(to("db"));
  Scenario s({app, db}, found);
  s.begin(false);
  s.expect("db: starting (boot)", "spawn db #10");
}

TEST(Recovery, WithoutARecordWhatLivesIsTakenOver) {
  Recovered found = after_crash({}, 9);
  found.units[0].record.reset();
  Scenario s({simple("web")}, found);
  s.begin(false);
  s.expect_nothing();
  EXPECT_EQ(s.record("web").goal, Goal::up);
  s.spawned("web", 9);
  s.expect("web: running (boot)", "settled");
}

TEST(Recovery, AUnitThatIsNewInTheSetIsStarted) {
  Scenario s({simple("new"), simple("web")}, [] {
    Recovered found = after_crash(wanted_down(left(UnitState::stopped, 5)), 0);
    found.units[0].unit = {1};
    found.units.push_back({.unit = {0}, .record = UnitRecord{}});
    return found;
  }());
  s.begin(false);
  s.expect("new: starting (boot)", "spawn new #6");
  s.expect_state("web", UnitState::stopped, Cause::request);
}

TEST(Recovery, AProcessThatIsNotWantedAnyMoreIsStopped) {
  UnitRecord stray;
  stray.attempt = {5};
  UnitRecord was_running = left(UnitState::running, 5);
  was_running.goal = Goal::down;
  for (const UnitRecord& record : {stray, was_running}) {
    Scenario s({simple("gone")}, after_crash(record, 5));
    s.begin(false);
    s.expect("gone: stopping (request)", "kill gone #5 15 group continue", "settled");
    s.spawned("gone");
    s.exited("gone", killed_by(SIGTERM));
    s.expect("acknowledge #5", "gone: stopped (request)");
  }
}

TEST(Recovery, WhateverAProcessThatIsNotWantedAnyMoreWasAtItIsStopped) {
  UnitRecord stops = left(UnitState::stopping, 5);
  stops.job = {7};
  stops.job_verb = Verb::restart;
  for (const UnitRecord& record :
       {left(UnitState::running, 5), left(UnitState::starting, 5), stops}) {
    Recovered found = after_crash(record, 5);
    found.units[0].unwanted = true;
    Scenario s({simple("gone")}, found);
    s.begin(false);
    s.exited("gone", killed_by(SIGTERM));
    s.expect_state("gone", UnitState::stopped, Cause::request);
  }
}

TEST(Recovery, WhatIsLeftOfTheGroupIsStoppedEvenIfTheRecordIsOfNoUse) {
  UnitRecord record = left(UnitState::stopping, 5);
  record.exit_attempt = {5};
  record.goal = Goal::down;
  record.job = {7};
  record.job_verb = Verb::restart;
  Scenario s({simple("gone")}, after_crash(record, 5));
  s.begin(false);
  s.expect("kill gone #5 15 group continue", "settled");
  s.pass(10s);
  s.expect("kill gone #5 9 group");
  s.group_emptied("gone", 5);
  s.expect_state("gone", UnitState::stopped, Cause::stop_timeout);
}

TEST(Recovery, OneThatIsAGroupNowHasItsProcessStoppedFirst) {
  Scenario s({group("web")}, after_crash(left(UnitState::running, 5), 5));
  s.begin(false);
  s.expect("kill web #5 15 group continue");
  s.spawned("web", 5);
  s.exited("web", killed_by(SIGTERM), 5);
  s.expect("acknowledge #5", "web: starting (boot)", "web: running (boot)", "settled");
}

TEST(Recovery, ACheckThatLivesBesideTheProcessOfADamagedRecordIsKilled) {
  UnitRecord record = left(UnitState::running, 5);
  record.goal = Goal::down;
  record.check = {.role = Role::health_check, .attempt = {6}, .pid = 1006};
  Recovered found = after_crash(record, 5);
  found.units[0].live_check = {6};
  Scenario s({simple("gone")}, found);
  s.begin(false);
  s.expect("kill gone #6 9 group", "gone: stopping (request)", "kill gone #6 9 group",
           "kill gone #5 15 group continue", "settled");
}

TEST(Recovery, AUnitThatEndedAndIsNotWantedAnyMoreIsNoShutdown) {
  UnitRecord record = left(UnitState::exited, 5);
  record.goal = Goal::down;
  Scenario s({simple("gone")}, after_crash(record, 5));
  s.begin(false);
  EXPECT_FALSE(s.supervisor().shutting_down());
  s.forget();
  s.exited("gone", exit_code(1));
  s.expect("acknowledge #5");
}

TEST(Recovery, WhatIsDoneOrFailedStaysSo) {
  Scenario s({oneshot("setup")}, after_crash(left(UnitState::exited, 5), 0));
  s.begin(false);
  s.expect("settled");
  s.expect_state("setup", UnitState::exited, Cause::boot);
}

TEST(Recovery, ALostStopSignalIsSentAgain) {
  Scenario s({simple("web")}, after_crash(wanted_down(left(UnitState::stopping, 5)), 5, 0));
  s.begin(false);
  s.expect("kill web #5 15 group continue", "settled");
}

TEST(Recovery, ASignalOnRequestBeforeTheStopIsNotTakenForIt) {
  Scenario s({simple("web")}, after_crash(wanted_down(left(UnitState::stopping, 5)), 5, SIGHUP));
  s.begin(false);
  s.expect("kill web #5 15 group continue", "settled");
}

TEST(Recovery, AStopSignalThatWasSentIsNotRepeatedButSigkillComesInTime) {
  Scenario s({simple("web")}, after_crash(wanted_down(left(UnitState::stopping, 5)), 5, SIGTERM));
  s.begin(false);
  s.expect("settled");
  s.pass(5s);
  s.expect("kill web #5 9 group");
}

TEST(Recovery, ALostSigkillIsSentAgain) {
  UnitRecord record = wanted_down(left(UnitState::stopping, 5));
  record.killed = true;
  Scenario s({simple("web")}, after_crash(record, 5, SIGTERM));
  s.begin(false);
  s.expect("kill web #5 9 group", "settled");
}

TEST(Recovery, AJobUnderWayGoesOnAndNumbersAreNotUsedTwice) {
  UnitRecord record = left(UnitState::starting, 5);
  record.job = {12};
  record.job_verb = Verb::start;
  record.job_outcomes[0] = {{14}, JobResult::done};
  Scenario s({simple("web")}, after_crash(record, 5));
  s.begin(false);
  s.spawned("web");
  s.expect_job("web", 12, JobResult::done);
  s.forget();
  s.start("web");
  s.expect("reply 1: web job 15");
}

TEST(Recovery, AShutdownGoesOn) {
  UnitRecord record = wanted_down(left(UnitState::stopping, 5));
  record.cause = Cause::shutdown;
  Recovered found = after_crash(record, 5, SIGTERM);
  found.shutting_down = true;
  found.exit_code = 6;
  Scenario s({simple("web")}, found);
  s.begin(false);
  s.expect_nothing();
  s.exited("web", killed_by(SIGTERM));
  s.expect("acknowledge #5", "web: stopped (shutdown)", "end with 6");
}

TEST(Recovery, AShutdownThatOnlySomeRecordsTellOfGoesOn) {
  UnitRecord record = wanted_down(left(UnitState::stopped, 5));
  record.cause = Cause::shutdown;
  Recovered found = after_crash(record, 0);
  found.units.push_back(
      {.unit = {1}, .record = left(UnitState::running, 6), .live_attempt = {6}, .pid = 1006});
  Scenario s({simple("db"), simple("web")}, found);
  s.begin(false);
  s.expect("web: stopping (shutdown)", "kill web #6 15 group continue");
}

TEST(Recovery, AnEssentialUnitsEndThatOnlyItsRecordTellsOfEndsAll) {
  UnitSpec spec = oneshot("main");
  spec.essential = true;
  UnitRecord record = wanted_down(left(UnitState::failed, 5));
  record.last_exit = killed_by(SIGKILL);
  Scenario s({spec}, after_crash(record, 0));
  s.begin(false);
  s.expect("end with 137");
}

TEST(Recovery, AnEndThatWasLostIsSaidAgain) {
  Recovered found = after_crash(wanted_down(left(UnitState::stopped, 5)), 0);
  found.shutting_down = true;
  Scenario s({simple("web")}, found);
  s.begin(false);
  s.expect("end with 0");
}

TEST(Recovery, ADamagedRecordKeepsItsCountsAndIsBuiltAnew) {
  UnitRecord record = left(UnitState::running, 5);
  record.pid = 0;
  record.exits = 3;
  record.job = {2};
  record.job_verb = Verb::stop;
  Scenario s({simple("web")}, after_crash(record, 5));
  s.begin(false);
  s.expect_nothing();
  s.expect_state("web", UnitState::starting, Cause::boot);
  s.spawned("web");
  s.expect_state("web", UnitState::running, Cause::boot);
  EXPECT_EQ(s.record("web").exits, 3U);
  s.expect_job("web", 2, JobResult::superseded);
}

TEST(Recovery, EveryRecordIsPublishedOnce) {
  Scenario s({simple("web")}, after_crash(left(UnitState::running, 5), 5));
  s.begin(false);
  EXPECT_EQ(s.supervisor().take_changed(), std::vector<UnitIndex>{s.index("web")});
  EXPECT_TRUE(s.supervisor().take_changed().empty());
}

}  // namespace
}  // namespace foster::core::test
