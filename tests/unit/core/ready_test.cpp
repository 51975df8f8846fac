// When a unit counts as up: its type's way, and [ready].
#include <csignal>

#include "tests/unit/core/scenario.hpp"

namespace foster::core::test {
namespace {

UnitSpec ready_by(ReadyKind kind) {
  UnitSpec spec = simple("web");
  spec.restart.policy = RestartPolicy::never;
  spec.ready.make().kind = kind;
  spec.ready.make().timeout = 10s;
  return spec;
}

Notified ready(Scenario& s) {
  return {.unit = s.index("web"), .ready = true};
}

TEST(Ready, ANotifyUnitIsUpOnceItSaysSo) {
  UnitSpec spec = simple("web");
  spec.type = ServiceType::notify;
  Scenario s({spec});
  s.begin();
  s.start("web");
  s.spawned("web");
  s.forget();
  s.expect_step("web", UnitState::starting, Step::ready);
  s.expect_job("web", 1, JobResult::none);
  s.handle(ready(s));
  s.expect("web: running (boot)", "settled");
  s.expect_job("web", 1, JobResult::done);
  EXPECT_TRUE(s.record("web").ready);
}

TEST(Ready, ANotifyUnitHasNinetySecondsAndFails) {
  UnitSpec spec = simple("web");
  spec.type = ServiceType::notify;
  spec.restart.policy = RestartPolicy::on_abnormal;
  spec.restart.delay = 1s;
  Scenario s({spec});
  s.begin();
  s.spawned("web");
  s.pass(89s);
  s.forget();
  s.pass(1s);
  s.expect("web: stopping (start timeout), was not up within 1min 30s",
           "kill web #1 15 group continue");
  s.exited("web", killed_by(SIGTERM));
  s.expect_state("web", UnitState::backoff, Cause::start_timeout);
}

TEST(Ready, AUnitCanAskForMoreTime) {
  Scenario s({ready_by(ReadyKind::notify)});
  s.begin();
  s.spawned("web");
  s.pass(9s);
  s.handle({Notified{.unit = s.index("web"), .extend_timeout = 20s}});
  s.forget();
  s.pass(19s);
  s.expect_nothing();
  s.pass(1s);
  s.expect_state("web", UnitState::stopping, Cause::start_timeout);
}

TEST(Ready, OfTheShellsKindsIsSeenByTheShell) {
  for (const ReadyKind kind : {ReadyKind::descriptor, ReadyKind::file, ReadyKind::output}) {
    Scenario s({ready_by(kind)});
    s.begin();
    s.spawned("web");
    s.handle(ready(s));
    s.ready_seen("web", 99);
    s.expect_step("web", UnitState::starting, Step::ready);
    s.forget();
    s.ready_seen("web");
    s.expect("web: running (boot)", "settled");
  }
}

TEST(Ready, MayBeSeenBeforeTheNewsOfTheSpawn) {
  Scenario s({ready_by(ReadyKind::file)});
  s.begin();
  s.forget();
  s.ready_seen("web");
  s.expect_nothing();
  s.spawned("web");
  s.expect("web: running (boot)", "settled");
}

TEST(Ready, IsTriedByAProcessUntilItSucceeds) {
  Scenario s({ready_by(ReadyKind::tcp)});
  s.begin();
  s.forget();
  s.spawned("web");
  s.expect("spawn web #2 ready-check for #1");
  s.ran("web", 2, 1);
  s.expect("acknowledge #2");
  s.pass(499ms);
  s.expect_nothing();
  s.pass(1ms);
  s.expect("spawn web #3 ready-check for #1");
  s.ran("web", 3, 0);
  s.expect("acknowledge #3", "web: running (boot)", "settled");
}

TEST(Ready, ThatNeverComesFailsTheAttempt) {
  Scenario s({ready_by(ReadyKind::command)});
  s.begin();
  s.spawned("web");
  s.spawned("web", 2);
  s.forget();
  s.pass(10s);
  s.expect("web: stopping (start timeout), was not up within 10s", "kill web #2 9 group",
           "kill web #1 15 group continue");
  s.exited("web", killed_by(SIGKILL), 2);
  s.exited("web", killed_by(SIGTERM), 1);
  s.expect_state("web", UnitState::failed, Cause::start_timeout);
}

TEST(Ready, ThatNeverComesCanBeTakenForGranted) {
  UnitSpec spec = ready_by(ReadyKind::file);
  spec.ready.make().on_timeout = ReadyTimeout::run;
  Scenario s({spec});
  s.begin();
  s.spawned("web");
  s.forget();
  s.pass(10s);
  s.expect("web: running (boot)", "settled");
}

TEST(Ready, AnEndBeforeItIsAFailureWhateverTheCode) {
  Scenario s({ready_by(ReadyKind::file)});
  s.begin();
  s.start("web");
  s.spawned("web");
  s.exited("web", exit_code(0));
  s.expect_state("web", UnitState::failed, Cause::exit);
  s.expect_job("web", 1, JobResult::failed);
}

TEST(Ready, IsWaitedForByDependents) {
  UnitSpec app = simple("app");
  app.depends.make().requires_units.push_back(to("web"));
  Scenario s({app, ready_by(ReadyKind::file)});
  s.begin();
  s.spawned("web");
  s.forget();
  s.ready_seen("web");
  s.expect("web: running (boot)", "app: starting (boot)", "spawn app #2");
}

TEST(Ready, AGroupIsUpAtOnce) {
  Scenario s({group("all")});
  s.begin();
  s.expect("all: starting (boot)", "all: running (boot)", "settled");
  s.stop("all");
  s.expect("all: stopping (request)", "all: stopped (request)", "reply 1: all job 1");
}

TEST(Ready, AOneshotsCommandsRunOneAfterAnother) {
  UnitSpec spec = with_hooks(oneshot("setup"), {HookPoint::post_start, HookPoint::post_stop});
  spec.more_commands = {{"/bin/two"}};
  Scenario s({spec});
  s.begin();
  s.spawned("setup");
  s.forget();
  s.exited("setup", exit_code(0));
  s.expect("acknowledge #1", "spawn setup #2 command 1");
  s.spawned("setup");
  s.exited("setup", exit_code(0));
  s.expect("acknowledge #2", "spawn setup #3 post-start for #2");
  s.ran("setup", 3);
  s.expect("acknowledge #3", "setup: stopping (exit)", "spawn setup #4 post-stop for #2");
  s.ran("setup", 4);
  s.expect("acknowledge #4", "setup: exited (exit)", "settled");
}

TEST(Ready, AOneshotThatFailsRunsNoFurtherCommand) {
  UnitSpec spec = oneshot("setup");
  spec.more_commands = {{"/bin/two"}};
  Scenario s({spec});
  s.running("setup");
  s.exited("setup", exit_code(1));
  s.expect("acknowledge #1", "setup: failed (exit)", "settled");
}

TEST(Ready, AOneshotThatRemainsIsNotRunAgainUntilItIsStopped) {
  UnitSpec spec = with_hooks(oneshot("net"), {HookPoint::stop});
  spec.remain_after_exit = true;
  Scenario s({spec});
  s.running("net");
  s.exited("net", exit_code(0));
  s.forget();
  s.start("net");
  s.expect("reply 1: net job 1");
  s.expect_job("net", 1, JobResult::done);
  s.stop("net");
  s.expect("net: stopping (request)", "spawn net #2 stop for #1", "reply 2: net job 2");
  s.ran("net", 2);
  s.expect("acknowledge #2", "net: stopped (request)");
  s.start("net");
  s.expect("net: starting (request)", "spawn net #3", "reply 3: net job 3");
}

TEST(ReadyRecovery, WaitingGoesOn) {
  UnitRecord record = left(UnitState::starting, 5);
  record.step = Step::ready;
  record.pid = 1005;
  record.start_deadline = {1'005'000'000'000};
  Scenario s({ready_by(ReadyKind::tcp)}, after_crash(record, 5));
  s.begin(false);
  s.expect("spawn web #6 ready-check for #5");
  s.spawned("web", 5);
  s.expect_nothing();
  s.ran("web", 6);
  s.expect("acknowledge #6", "web: running (boot)", "settled");
}

}  // namespace
}  // namespace foster::core::test
