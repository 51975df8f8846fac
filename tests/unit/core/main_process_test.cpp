// Main processes that are found or named rather than spawned; what units say of themselves.
#include <cerrno>
#include <csignal>

#include "tests/unit/core/scenario.hpp"

namespace foster::core::test {
namespace {

UnitSpec forking() {
  UnitSpec spec = simple("web");
  spec.type = ServiceType::forking;
  return spec;
}

Notified main_pid(Scenario& s, int32_t pid) {
  return {.unit = s.index("web"), .main_pid = pid};
}

/// The command has ended, and the keeper is asked for the daemon that it has left.
void daemon_found(Scenario& s) {
  s.begin();
  s.spawned("web");
  s.main_exited("web", exit_code(0));
  s.handle(MainFound{s.index("web"), {1}, 77});
}

TEST(Forking, TheDaemonThatTheCommandLeavesBecomesTheMainProcess) {
  Scenario s({forking()});
  s.begin();
  s.spawned("web");
  s.forget();
  s.main_exited("web", exit_code(0));
  s.expect("find main web #1");
  s.expect_step("web", UnitState::starting, Step::find_main);
  s.handle(MainFound{s.index("web"), {1}, 77});
  s.expect("adopt web #2 from #1 pid 77");
  s.handle(Spawned{s.index("web"), {2}, 77});
  s.expect("web: running (boot)", "settled");
  EXPECT_EQ(s.record("web").pid, 77);
  s.group_emptied("web", 1);
  s.expect("acknowledge #1");
  s.exited("web", exit_code(1));
  s.expect("acknowledge #2", "web: starting (exit)", "spawn web #3");
}

TEST(Forking, WhatIsLeftOfTheCommandsGroupIsStoppedAfterTheDaemon) {
  UnitSpec spec = forking();
  spec.stop.timeout = 5s;
  Scenario s({spec});
  daemon_found(s);
  s.handle(Spawned{s.index("web"), {2}, 77});
  s.stop("web");
  s.forget();
  s.exited("web", killed_by(SIGTERM));
  s.expect("kill web #1 15 group continue", "acknowledge #2");
  s.pass(5s);
  s.expect("kill web #1 9 group");
  s.group_emptied("web", 1);
  s.expect("acknowledge #1", "web: stopped (request)");
}

TEST(Forking, ACommandThatFailsIsAFailedStart) {
  Scenario s({forking()});
  s.begin();
  s.spawned("web");
  s.forget();
  s.exited("web", exit_code(1));
  s.expect("acknowledge #1", "web: stopping (exit)", "end kin web #1 15");
  s.handle(KinEnded{s.index("web"), {1}});
  s.expect("web: starting (exit)", "spawn web #2", "settled");
}

TEST(Forking, ADaemonThatIsNotFoundIsAFailedStart) {
  UnitSpec spec = forking();
  spec.restart.policy = RestartPolicy::never;
  Scenario s({spec});
  s.begin();
  s.spawned("web");
  s.exited("web", exit_code(0));
  s.forget();
  s.handle(MainNotFound{s.index("web"), {1}, "there are 3 candidates"});
  s.expect("acknowledge #1", "web: stopping (spawn failed), there are 3 candidates",
           "end kin web #1 15");
  s.handle(KinEnded{s.index("web"), {1}});
  s.expect("web: failed (spawn failed), there are 3 candidates", "settled");
}

TEST(Forking, ADaemonThatWasNotFoundIsKilledIfItDoesNotEnd) {
  UnitSpec spec = forking();
  spec.stop.timeout = 5s;
  Scenario s({spec});
  s.begin();
  s.spawned("web");
  s.exited("web", exit_code(0));
  s.stop("web");
  s.expect_step("web", UnitState::stopping, Step::signal);
  s.forget();
  s.pass(5s);
  s.expect("end kin web #1 9");
  s.pass(5s);
  s.expect("end kin web #1 9");
  s.handle(KinEnded{s.index("web"), {1}});
  s.expect("web: stopped (stop timeout), did not stop within 5s and was killed", "settled");
}

TEST(Forking, ASuccessorGoesOnEndingADaemonThatWasNotFound) {
  UnitRecord record = left(UnitState::stopping, 5);
  record.exit_attempt = {5};
  record.last_exit = {.kind = ExitKind::code, .clean = true};
  record.goal = Goal::down;
  record.cause = Cause::request;
  Scenario s({forking()}, after_crash(record, 0));
  s.begin(false);
  s.expect("end kin web #5 15", "settled");
  s.handle(KinEnded{s.index("web"), {5}});
  s.expect("web: stopped (request)");
}

TEST(Forking, ADaemonThatIsTakenOverDuringAStopIsStoppedByASuccessor) {
  UnitSpec spec = forking();
  spec.stop.timeout = 5s;
  UnitRecord record = left(UnitState::stopping, 5);
  record.exit_attempt = {5};
  record.last_exit = {.kind = ExitKind::code, .clean = true};
  record.goal = Goal::down;
  record.cause = Cause::request;
  record.deadline = {};
  Recovered adopted = after_crash(record, 6);
  adopted.units[0].pid = 77;
  Scenario s({spec}, adopted);
  s.begin(false);
  s.expect("kill web #6 15 group continue", "settled");
  s.pass(5s);
  s.expect("kill web #6 9 group");
}

TEST(Forking, ADaemonThatIsTakenOverOnceTheCommandsGroupIsKilledGetsTheStopSignalFirst) {
  UnitSpec spec = forking();
  spec.stop.timeout = 5s;
  Scenario s({spec});
  daemon_found(s);
  s.stop("web");
  s.pass(5s);
  s.forget();
  s.handle(Spawned{s.index("web"), {2}, 77});
  s.expect("kill web #2 15 group continue");
  s.pass(5s);
  s.expect("kill web #2 9 group");
}

TEST(Forking, OneThatIsNotFoundInTimeIsAFailedStart) {
  UnitSpec spec = forking();
  spec.restart.policy = RestartPolicy::never;
  Scenario s({spec});
  s.begin();
  s.spawned("web");
  s.main_exited("web", exit_code(0));
  s.forget();
  s.pass(90s);
  s.expect("web: stopping (start timeout), was not up within 1min 30s",
           "kill web #1 15 group continue");
  s.group_emptied("web");
  s.handle(KinEnded{s.index("web"), {1}});
  s.expect_state("web", UnitState::failed, Cause::start_timeout);
}

TEST(Forking, ASuccessorAsksAgain) {
  UnitRecord record = left(UnitState::starting, 5);
  record.step = Step::find_main;
  record.exit_attempt = {5};
  record.last_exit = {.kind = ExitKind::code, .clean = true};
  {
    Scenario s({forking()}, after_crash(record, 5));
    s.begin(false);
    s.expect("find main web #5");
    s.main_exited("web", exit_code(0));
    s.expect_nothing();
  }
  record.claimed_pid = 77;
  {
    Scenario s({forking()}, after_crash(record, 5));
    s.begin(false);
    s.expect("adopt web #6 from #5 pid 77");
  }
  Recovered adopted = after_crash(record, 6);
  adopted.units[0].pid = 77;
  Scenario s({forking()}, adopted);
  s.begin(false);
  s.expect_nothing();
  s.main_exited("web", exit_code(0), 5);
  s.expect("acknowledge #5 abandon");
  s.handle(Spawned{s.index("web"), {6}, 77});
  s.expect("web: running (boot)", "settled");
}

TEST(MainPid, IsAdoptedAtOnceWhereTheKeeperCan) {
  Scenario s({simple("web")});
  s.running("web");
  s.handle(main_pid(s, 77));
  s.expect("adopt web #2 from #1 pid 77");
  s.handle(Spawned{s.index("web"), {2}, 77});
  s.expect_nothing();
  EXPECT_EQ(s.record("web").pid, 77);
  s.exited("web", exit_code(0), 1);
  s.expect("acknowledge #1");
  EXPECT_EQ(s.record("web").exits, 1U);
  s.expect_state("web", UnitState::running, Cause::boot);
}

TEST(MainPid, TheFormerMainProcessIsStoppedWhereItOutlivesTheNewOne) {
  UnitSpec spec = simple("web");
  spec.stop.timeout = 5s;
  Scenario s({spec});
  s.running("web");
  s.handle(main_pid(s, 77));
  s.handle(Spawned{s.index("web"), {2}, 77});
  s.stop("web");
  s.forget();
  s.pass(4s);
  s.exited("web", killed_by(SIGTERM));
  s.expect("kill web #1 15 group continue", "acknowledge #2");
  s.pass(4s);
  s.main_exited("web", killed_by(SIGTERM), 1);
  s.expect("kill web #1 15 group continue");
  s.pass(1s);
  s.expect("kill web #1 9 group");
  s.group_emptied("web", 1);
  s.expect("acknowledge #1", "web: stopped (request)");
  EXPECT_EQ(s.record("web").exits, 2U);
}

TEST(MainPid, TheFormerMainProcessIsGoneBeforeARestart) {
  Scenario s({simple("web")});
  s.running("web");
  s.handle(main_pid(s, 77));
  s.handle(Spawned{s.index("web"), {2}, 77});
  s.forget();
  s.exited("web", exit_code(1));
  s.expect("acknowledge #2", "web: stopping (exit)", "kill web #1 15 group continue");
  s.exited("web", killed_by(SIGTERM), 1);
  s.expect("acknowledge #1", "web: starting (exit)", "spawn web #3");
}

TEST(MainPid, ASuccessorKnowsTheFormerMainProcess) {
  Recovered found = after_crash(left(UnitState::running, 6), 6);
  found.units[0].live_formers = {{.attempt = {5}, .pid = 70}};
  Scenario s({simple("web")}, found);
  s.begin(false);
  s.stop("web");
  s.forget();
  s.exited("web", killed_by(SIGTERM));
  s.expect("kill web #5 15 group continue", "acknowledge #6");
  s.exited("web", killed_by(SIGTERM), 5);
  s.expect("acknowledge #5", "web: stopped (request)");
  EXPECT_EQ(s.record("web").exits, 2U);
}

TEST(MainPid, IsAdoptedWhenItsParentHasEndedOtherwise) {
  Scenario s({simple("web")});
  s.running("web");
  s.handle(main_pid(s, 77));
  s.handle(AdoptFailed{s.index("web"), {2}, ECHILD});
  EXPECT_EQ(s.record("web").claimed_pid, 77);
  s.forget();
  s.main_exited("web", exit_code(0), 1);
  s.expect("adopt web #3 from #1 pid 77");
  s.handle(Spawned{s.index("web"), {3}, 77});
  s.expect_nothing();
  s.expect_state("web", UnitState::running, Cause::boot);
  EXPECT_EQ(s.record("web").pid, 77);
}

TEST(MainPid, ThatCannotBeAdoptedLeavesTheEndOfTheOldOne) {
  Scenario s({simple("web")});
  s.running("web");
  s.handle(main_pid(s, 77));
  s.handle(AdoptFailed{s.index("web"), {2}, ECHILD});
  s.exited("web", exit_code(1), 1);
  s.forget();
  s.handle(AdoptFailed{s.index("web"), {3}, ECHILD});
  s.expect("acknowledge #1",
           "web: starting (exit), cannot take process 77 as the main process: No child processes",
           "spawn web #4");
}

TEST(MainPid, AStopWaitsForTheAnswer) {
  Scenario s({simple("web")});
  s.running("web");
  s.handle(main_pid(s, 77));
  s.stop("web");
  s.exited("web", killed_by(SIGTERM), 1);
  s.expect_state("web", UnitState::stopping, Cause::request);
  s.forget();
  s.handle(Spawned{s.index("web"), {2}, 77});
  s.expect("acknowledge #1", "kill web #2 15 group continue");
  s.exited("web", killed_by(SIGTERM), 2);
  s.expect_state("web", UnitState::stopped, Cause::request);
}

TEST(Notify, StatusAndErrnoAreKept) {
  Scenario s({simple("web")});
  s.running("web");
  s.handle({Notified{.unit = s.index("web"), .service_errno = 5, .status_text = "busy"}});
  EXPECT_EQ(s.record("web").status_text, "busy");
  EXPECT_EQ(s.record("web").service_errno, 5);
}

TEST(Notify, AUnitThatStopsByItselfNeedsNoSignalButHasToEndInTime) {
  UnitSpec spec = simple("web");
  spec.stop.timeout = 5s;
  Scenario s({spec});
  s.running("web");
  s.handle({Notified{.unit = s.index("web"), .stopping = true}});
  s.expect("web: stopping (exit)");
  s.handle({Notified{.unit = s.index("web"), .extend_timeout = 20s}});
  s.pass(19s);
  s.expect_nothing();
  s.pass(1s);
  s.expect("kill web #1 9 group");
  s.exited("web", killed_by(SIGKILL));
  s.expect_state("web", UnitState::starting, Cause::exit);
}

TEST(Notify, WhatAUnitAtRestSaysIsDropped) {
  Scenario s({oneshot("web")});
  s.running("web");
  s.exited("web", exit_code(0));
  s.forget();
  s.handle({Notified{.unit = s.index("web"), .ready = true, .status_text = "late"}});
  s.expect_nothing();
  EXPECT_EQ(s.record("web").status_text, "");
}

}  // namespace
}  // namespace foster::core::test
