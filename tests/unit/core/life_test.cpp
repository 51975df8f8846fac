// Starting, running, ending and being stopped, of single units.
#include <cerrno>
#include <csignal>

#include "tests/unit/core/scenario.hpp"

namespace foster::core::test {
namespace {

TEST(Life, EveryUnitIsStartedInOrderAtTheFirstBegin) {
  Scenario s({simple("db"), simple("web")});
  s.begin();
  s.expect("db: starting (boot)", "spawn db #1", "web: starting (boot)", "spawn web #2");
}

TEST(Life, ASimpleUnitRunsOnceItIsExecuted) {
  Scenario s({simple("web")});
  s.begin();
  s.forget();
  s.spawned("web");
  s.expect("web: running (boot)", "settled");
  EXPECT_EQ(s.record("web").pid, 1001);
  EXPECT_EQ(s.record("web").running, s.now());
}

TEST(Life, BeingToldTwiceThatItWasSpawnedChangesNothing) {
  Scenario s({simple("web")});
  s.running("web");
  (void)s.supervisor().take_changed();
  s.spawned("web");
  s.expect_nothing();
  EXPECT_TRUE(s.supervisor().take_changed().empty());
}

TEST(Life, AOneshotIsDoneWhenItHasExitedWithSuccess) {
  Scenario s({oneshot("setup")});
  s.running("setup");
  s.exited("setup", exit_code(0));
  s.expect("acknowledge #1", "setup: exited (exit)", "settled");
  EXPECT_EQ(s.record("setup").exits, 1U);
  EXPECT_TRUE(s.record("setup").last_exit.clean);
  EXPECT_EQ(s.record("setup").pid, 0);
}

TEST(Life, AOneshotThatExitsOtherwiseHasFailed) {
  Scenario s({oneshot("setup")});
  s.running("setup");
  s.exited("setup", exit_code(4));
  s.expect("acknowledge #1", "setup: failed (exit)", "settled");
}

TEST(Life, ADoneOneshotIsNotRestartedWhateverItsPolicy) {
  UnitSpec spec = oneshot("setup");
  spec.restart.policy = RestartPolicy::always;
  Scenario s({spec});
  s.running("setup");
  s.exited("setup", exit_code(0));
  s.expect_state("setup", UnitState::exited, Cause::exit);
}

TEST(Life, AnExitThatComesWithoutASpawnedCountsAllTheSame) {
  Scenario s({simple("web")});
  s.begin();
  s.forget();
  s.exited("web", exit_code(1));
  s.expect("acknowledge #1", "web: starting (exit)", "spawn web #2", "settled");
  EXPECT_EQ(s.record("web").exits, 1U);
  EXPECT_EQ(s.record("web").restarts, 1U);
  s.spawned("web", 1);
  s.expect_nothing();
}

TEST(Life, AStopIsTheSignalThenTheEnd) {
  Scenario s({simple("web")});
  s.running("web");
  s.stop("web");
  s.expect("web: stopping (request)", "kill web #1 15 group continue", "reply 1: web job 1");
  s.expect_job("web", 1, JobResult::none);
  s.exited("web", killed_by(SIGTERM));
  s.expect("acknowledge #1", "web: stopped (request)");
  s.expect_job("web", 1, JobResult::done);
  s.pass(1h);
  s.expect_nothing();
}

TEST(Life, AStopIsAStopWhateverTheExitCode) {
  Scenario s({simple("web")});
  s.running("web");
  s.stop("web");
  s.exited("web", exit_code(99));
  s.expect_state("web", UnitState::stopped, Cause::request);
}

TEST(Life, ADeathByTheStopSignalIsCleanWhenItWasAskedFor) {
  Scenario s({simple("web")});
  s.running("web");
  s.stop("web");
  s.exited("web", killed_by(SIGTERM));
  EXPECT_TRUE(s.record("web").last_exit.clean);
  s.start("web");
  s.spawned("web");
  s.stop("web");
  s.exited("web", killed_by(SIGKILL));
  EXPECT_FALSE(s.record("web").last_exit.clean) << "by another signal than its own";
  s.start("web");
  s.spawned("web");
  s.exited("web", killed_by(SIGTERM));
  EXPECT_FALSE(s.record("web").last_exit.clean) << "nobody asked";
}

TEST(Life, TheStopSignalAndItsScopeAreTheUnits) {
  UnitSpec spec = simple("web");
  spec.stop.signal = SIGQUIT;
  spec.stop.scope = SignalScope::main;
  Scenario s({spec});
  s.running("web");
  s.stop("web");
  s.expect("web: stopping (request)", "kill web #1 3 main continue", "reply 1: web job 1");
}

TEST(Life, SigkillComesAtTheTimeoutAndAgainAtEachFurtherOne) {
  UnitSpec spec = simple("web");
  spec.stop.timeout = 5s;
  Scenario s({spec});
  s.running("web");
  s.stop("web");
  s.forget();
  s.pass(4999ms);
  s.expect_nothing();
  s.pass(1ms);
  s.expect("kill web #1 9 group");
  EXPECT_TRUE(s.record("web").killed);
  s.pass(10s);
  s.expect("kill web #1 9 group", "kill web #1 9 group");
  s.exited("web", killed_by(SIGKILL));
  s.expect("acknowledge #1", "web: stopped (stop timeout), did not stop within 5s and was killed");
}

TEST(Life, AZeroStopTimeoutDoesNotMakeABusyLoop) {
  UnitSpec spec = simple("web");
  spec.stop.timeout = 0s;
  Scenario s({spec});
  s.running("web");
  s.stop("web");
  s.forget();
  s.pass(3s);
  s.expect("kill web #1 9 group", "kill web #1 9 group", "kill web #1 9 group",
           "kill web #1 9 group");
}

TEST(Life, AConfiguredSigkillGoesToTheGroup) {
  UnitSpec spec = simple("web");
  spec.stop.signal = SIGKILL;
  spec.stop.scope = SignalScope::main;
  Scenario s({spec});
  s.running("web");
  s.stop("web");
  s.expect("web: stopping (request)", "kill web #1 9 group continue", "reply 1: web job 1");
}

TEST(Life, AUnitThatIsStillStartingIsStoppedAtOnce) {
  Scenario s({simple("web")});
  s.begin();
  s.forget();
  s.stop("web");
  s.expect("web: stopping (request)", "kill web #1 15 group continue", "reply 1: web job 1");
  s.spawned("web");
  s.expect_nothing();
  EXPECT_EQ(s.record("web").pid, 1001);
  s.exited("web", killed_by(SIGTERM));
  s.expect("acknowledge #1", "web: stopped (request)", "settled");
}

TEST(Life, AStopOfAUnitWhoseSpawnThenFailsIsDone) {
  Scenario s({simple("web")});
  s.begin();
  s.stop("web");
  s.forget();
  s.spawn_failed("web", ENOENT);
  s.expect("acknowledge #1", "web: stopped (request)", "settled");
  s.expect_job("web", 1, JobResult::done);
}

TEST(Life, AStopInBackoffOrAfterTheEndIsDoneAtOnce) {
  UnitSpec slow = simple("slow");
  slow.restart.delay = 10s;
  Scenario s({oneshot("bad"), oneshot("good"), slow});
  s.begin();
  s.exited("good", exit_code(0));
  s.exited("bad", exit_code(1));
  s.exited("slow", exit_code(1));
  s.expect_state("slow", UnitState::backoff, Cause::exit);
  s.forget();
  s.request(Verb::stop, {"slow", "good", "bad"});
  s.expect("slow: stopped (request)", "good: stopped (request)", "bad: stopped (request)",
           "reply 1: slow job 1 good job 2 bad job 3");
  for (const auto& [unit, job] : {std::pair("slow", 1), {"good", 2}, {"bad", 3}}) {
    s.expect_job(unit, job, JobResult::done);
  }
  s.pass(1h);
  s.expect_nothing();
}

TEST(Life, AStartWhileStoppingWaitsForTheEnd) {
  Scenario s({simple("web")});
  s.running("web");
  s.stop("web");
  s.start("web");
  s.forget();
  s.exited("web", killed_by(SIGTERM));
  s.expect("acknowledge #1", "web: starting (request)", "spawn web #2");
  s.expect_job("web", 1, JobResult::superseded);
  s.expect_job("web", 2, JobResult::none);
  s.spawned("web");
  s.expect_job("web", 2, JobResult::done);
  EXPECT_EQ(s.record("web").restarts, 0U);
}

TEST(Life, ARestartIsAStopAndAStart) {
  Scenario s({simple("web")});
  s.running("web");
  s.restart("web");
  s.expect("web: stopping (request)", "kill web #1 15 group continue", "reply 1: web job 1");
  s.exited("web", exit_code(0));
  s.expect("acknowledge #1", "web: starting (request)", "spawn web #2");
  s.spawned("web");
  s.expect("web: running (request)");
  s.expect_job("web", 1, JobResult::done);
  EXPECT_EQ(s.record("web").restarts, 0U);
}

TEST(Life, ARestartOfAUnitAtRestOrInBackoffStartsIt) {
  UnitSpec slow = simple("slow");
  slow.restart.delay = 10s;
  Scenario s({oneshot("setup"), slow});
  s.begin();
  s.exited("setup", exit_code(0));
  s.exited("slow", exit_code(1));
  s.forget();
  s.request(Verb::restart, {"setup", "slow"});
  s.expect("setup: starting (request)", "spawn setup #3", "slow: starting (request)",
           "spawn slow #4", "reply 1: setup job 1 slow job 2");
  s.pass(1h);
  s.expect_nothing();
}

TEST(Life, ADoneOneshotCanBeRunAgain) {
  Scenario s({oneshot("setup")});
  s.running("setup");
  s.exited("setup", exit_code(0));
  s.forget();
  s.start("setup");
  s.expect("setup: starting (request)", "spawn setup #2", "reply 1: setup job 1");
  s.spawned("setup");
  s.expect_job("setup", 1, JobResult::none);
  s.exited("setup", exit_code(0));
  s.expect_job("setup", 1, JobResult::done);
  EXPECT_EQ(s.record("setup").exits, 2U);
}

TEST(Life, NewsOfAnOldAttemptAreAcknowledgedAndDropped) {
  Scenario s({simple("web")});
  s.running("web");
  s.exited("web", exit_code(1));
  s.running("web");
  s.exited("web", exit_code(1), 1);
  s.expect("acknowledge #1");
  s.group_emptied("web", 1);
  s.expect("acknowledge #1");
  s.handle(SpawnFailed{s.index("web"), {1}, ENOENT, "late"});
  s.expect("acknowledge #1");
  s.spawned("web", 1);
  s.expect_nothing();
  s.exited("web", exit_code(1), 77);
  s.expect("acknowledge #77");
  s.expect_state("web", UnitState::running, Cause::exit);
  EXPECT_EQ(s.record("web").exits, 1U);
}

TEST(Life, TheStartHasSettledOnceEveryUnitHasShownHowItFares) {
  UnitSpec flapping = simple("flapping");
  UnitSpec slow = simple("slow");
  slow.restart.delay = 10s;
  Scenario s({oneshot("bad"), flapping, oneshot("setup"), slow, simple("web")});
  s.begin();
  s.spawned("web");
  s.spawned("setup");
  s.exited("bad", exit_code(1));
  s.exited("slow", exit_code(1));
  s.spawn_failed("flapping", ENOENT);
  EXPECT_FALSE(s.supervisor().settled()) << "a oneshot that works has not settled";
  s.forget();
  s.exited("setup", exit_code(0));
  s.expect("acknowledge #3", "setup: exited (exit)", "settled");
  EXPECT_TRUE(s.supervisor().settled());
  s.spawned("flapping");
  s.exited("web", exit_code(1));
  for (const std::string& line : s.take_lines())
    EXPECT_NE(line, "settled");
}

TEST(Life, AnEmptySetHasSettledAtOnceAndEndsAtOnce) {
  Scenario s({});
  s.begin();
  s.expect("settled");
  s.shutdown(5);
  s.expect("end with 5");
}

}  // namespace
}  // namespace foster::core::test
