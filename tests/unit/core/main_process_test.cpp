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
  s.expect("acknowledge #1 abandon", "web: running (boot)", "settled");
  EXPECT_EQ(s.record("web").pid, 77);
  s.exited("web", exit_code(1));
  s.expect("acknowledge #2", "web: starting (exit)", "spawn web #3");
}

TEST(Forking, ACommandThatFailsIsAFailedStart) {
  Scenario s({forking()});
  s.begin();
  s.spawned("web");
  s.forget();
  s.exited("web", exit_code(1));
  s.expect("acknowledge #1", "web: starting (exit)", "spawn web #2", "settled");
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
  s.expect("acknowledge #1", "web: failed (spawn failed), there are 3 candidates", "settled");
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
  s.expect("acknowledge #1 abandon");
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
