// Restarts that start the new process beside the old one.
#include <csignal>

#include "tests/unit/core/scenario.hpp"

namespace foster::core::test {
namespace {

UnitSpec notify(std::string name) {
  UnitSpec spec = simple(std::move(name));
  spec.type = ServiceType::notify;
  spec.stop.timeout = 10s;
  return spec;
}

void says_ready(Scenario& s, uint64_t attempt) {
  s.handle(Notified{.unit = s.index("web"), .attempt = {attempt}, .ready = true});
}

void overlap(Scenario& s) {
  s.request(Verb::overlap, {"web"});
}

void up(Scenario& s) {
  s.begin();
  s.spawned("web");
  says_ready(s, 0);
  s.expect_state("web", UnitState::running, Cause::boot);
  s.forget();
}

/// The new process runs beside the old one, and is not ready yet.
void halfway(Scenario& s) {
  up(s);
  overlap(s);
  s.spawned("web", 2);
}

TEST(Overlap, TheOldOneIsStoppedOnceTheNewOneIsReady) {
  Scenario s({notify("web")});
  up(s);
  overlap(s);
  s.expect("spawn web #2 successor", "reply 1: web job 1");
  s.spawned("web", 2);
  s.expect_step("web", UnitState::running, Step::overlap);
  EXPECT_EQ(s.record("web").pid, 1001);
  says_ready(s, 2);
  s.expect("kill web #1 15 group continue");
  EXPECT_EQ(s.record("web").pid, 1002);
  s.expect_job("web", 1, JobResult::none);
  s.exited("web", killed_by(SIGTERM), 1);
  s.expect("acknowledge #1");
  s.expect_job("web", 1, JobResult::done);
  s.expect_step("web", UnitState::running, Step::none);
  EXPECT_EQ(s.record("web").exits, 1U);
  EXPECT_EQ(s.record("web").restarts, 0U);
}

TEST(Overlap, WhatTheNewOneSaysOfItselfIsTheUnitsOnceItHasThePlace) {
  Scenario s({notify("web")});
  halfway(s);
  s.handle(Notified{.unit = s.index("web"), .attempt = {1}, .status_text = "busy"});
  s.handle(Notified{.unit = s.index("web"), .attempt = {2}, .status_text = "loading"});
  EXPECT_EQ(s.record("web").status_text, "busy");
  s.exited("web", exit_code(3), 2);
  EXPECT_EQ(s.record("web").detail, "the new process exited with 3 before it was ready");
  overlap(s);
  s.spawned("web", 3);
  EXPECT_EQ(s.record("web").status_text, "busy");
  s.handle(
      Notified{.unit = s.index("web"), .attempt = {3}, .ready = true, .status_text = "at work"});
  EXPECT_EQ(s.record("web").status_text, "at work");
  s.expect_state("web", UnitState::running, Cause::request);
}

TEST(Overlap, ASimpleOneIsReadyOnceItIsExecuted) {
  UnitSpec spec = simple("web");
  spec.restart.overlap = true;
  Scenario s({spec});
  s.running("web");
  s.restart("web");
  s.expect("spawn web #2 successor", "reply 1: web job 1");
  s.spawned("web", 2);
  s.expect("kill web #1 15 group continue");
}

TEST(Overlap, OneThatIsReadyBeforeTheNewsOfItsSpawnIsRemembered) {
  Scenario s({notify("web")});
  up(s);
  overlap(s);
  says_ready(s, 2);
  EXPECT_EQ(s.record("web").attempt.value, 1U);
  s.spawned("web", 2);
  EXPECT_EQ(s.record("web").attempt.value, 2U);
}

TEST(Overlap, OneThatEndsEarlyLeavesTheOldOne) {
  Scenario s({notify("web")});
  halfway(s);
  s.forget();
  s.exited("web", exit_code(3), 2);
  s.expect("acknowledge #2");
  s.expect_job("web", 1, JobResult::failed);
  s.expect_step("web", UnitState::running, Step::none);
  EXPECT_EQ(s.record("web").detail, "the new process exited with 3 before it was ready");
  EXPECT_EQ(s.record("web").exits, 0U);
  EXPECT_EQ(s.record("web").pid, 1001);
  s.exited("web", exit_code(1), 1);
  s.expect_state("web", UnitState::starting, Cause::exit);
  EXPECT_EQ(s.record("web").detail, "");
}

TEST(Overlap, OneThatCannotBeSpawnedLeavesTheOldOne) {
  Scenario s({notify("web")});
  up(s);
  overlap(s);
  s.handle(SpawnFailed{s.index("web"), {2}, 2, "cannot execute /bin/service: no such file"});
  s.expect_job("web", 1, JobResult::failed);
  EXPECT_EQ(s.record("web").detail, "the new process: cannot execute /bin/service: no such file");
}

TEST(Overlap, OneThatIsNotReadyInTimeIsKilled) {
  Scenario s({notify("web")});
  halfway(s);
  s.forget();
  s.pass(90s);
  s.expect("kill web #2 9 group");
  s.expect_job("web", 1, JobResult::none);
  overlap(s);
  s.expect("reply 2: web job 1");
  s.exited("web", killed_by(SIGKILL), 2);
  s.expect("acknowledge #2");
  s.expect_job("web", 1, JobResult::failed);
  EXPECT_EQ(s.record("web").detail, "the new process was not ready within 1min 30s");
}

TEST(Overlap, ASecondRequestIsTheSameJob) {
  Scenario s({notify("web")});
  up(s);
  overlap(s);
  s.forget();
  s.restart("web");
  s.expect("reply 2: web job 1");
  s.start("web");
  s.expect("reply 3: web job 1");
}

TEST(Overlap, TheOldOneThatDoesNotStopIsKilled) {
  Scenario s({notify("web")});
  halfway(s);
  says_ready(s, 2);
  s.handle(
      Notified{.unit = s.index("web"), .attempt = {1}, .stopping = true, .extend_timeout = 20s});
  s.forget();
  s.pass(19s);
  s.expect_nothing();
  s.pass(1s);
  s.expect("kill web #1 9 group");
  s.main_exited("web", killed_by(SIGKILL), 1);
  s.group_emptied("web", 1);
  s.expect_job("web", 1, JobResult::done);
}

TEST(Overlap, WhatIsLeftOfTheOldGroupGetsTheSignalAgain) {
  Scenario s({notify("web")});
  halfway(s);
  says_ready(s, 2);
  s.forget();
  s.main_exited("web", exit_code(0), 1);
  s.expect("kill web #1 15 group continue");
}

TEST(Overlap, WhenTheOldOneEndsMeanwhileTheNewOneIsTheMainProcess) {
  Scenario s({notify("web")});
  halfway(s);
  s.forget();
  s.exited("web", exit_code(1), 1);
  s.expect("acknowledge #1", "web: starting (exit)");
  s.expect_step("web", UnitState::starting, Step::ready);
  EXPECT_EQ(s.record("web").pid, 1002);
  says_ready(s, 2);
  s.expect("web: running (exit)");
  s.expect_job("web", 1, JobResult::done);
  EXPECT_EQ(s.record("web").exits, 1U);
}

TEST(Overlap, AStopIsForBoth) {
  Scenario s({notify("web")});
  halfway(s);
  s.forget();
  s.stop("web");
  s.expect("web: stopping (request)", "kill web #2 15 group continue",
           "kill web #1 15 group continue", "reply 2: web job 2");
  s.exited("web", killed_by(SIGTERM), 1);
  s.expect_state("web", UnitState::stopping, Cause::request);
  s.exited("web", killed_by(SIGTERM), 2);
  s.expect_state("web", UnitState::stopped, Cause::request);
  s.expect_job("web", 1, JobResult::superseded);
}

TEST(Overlap, TheNewOneThatEndsWhileTheOldOneGoesWaitsForThat) {
  Scenario s({notify("web")});
  halfway(s);
  says_ready(s, 2);
  s.forget();
  s.exited("web", exit_code(1), 2);
  s.expect_state("web", UnitState::stopping, Cause::exit);
  s.forget();
  s.exited("web", exit_code(0), 1);
  s.expect("acknowledge #1", "web: starting (exit)", "spawn web #3");
  EXPECT_EQ(s.record("web").exits, 2U);
  s.expect_job("web", 1, JobResult::failed);
}

TEST(Overlap, OtherTypesAreRefusedAndOneThatDoesNotRunIsStarted) {
  UnitSpec web = notify("web");
  web.enabled = false;
  Scenario s({web, oneshot("once")});
  s.begin();
  s.forget();
  s.request(Verb::overlap, {"once"});
  s.expect("reply 1: cannot overlap once");
  overlap(s);
  s.expect("web: starting (request)", "spawn web #2", "reply 2: web job 1");
}

TEST(Overlap, NoReloadMeanwhile) {
  UnitSpec spec = with_hooks(notify("web"), {HookPoint::reload});
  Scenario s({spec});
  up(s);
  overlap(s);
  s.forget();
  s.request(Verb::reload, {"web"});
  s.expect("reply 2: cannot reload web");
}

TEST(Overlap, AReloadThatWasInTheWayIsNotTheNextOne) {
  Scenario s({with_hooks(notify("web"), {HookPoint::reload})});
  up(s);
  s.request(Verb::reload, {"web"});
  s.expect("spawn web #2 reload for #1", "reply 1: web job 1");
  overlap(s);
  s.expect("kill web #2 9 group", "spawn web #3 successor", "reply 2: web job 2");
  s.spawned("web", 3);
  says_ready(s, 3);
  s.exited("web", killed_by(SIGTERM), 1);
  s.expect_job("web", 2, JobResult::done);
  s.forget();
  s.request(Verb::reload, {"web"});
  s.expect("reply 3: web job 3");
  s.exited("web", killed_by(SIGKILL), 2);
  s.expect("acknowledge #2", "spawn web #4 reload for #3");
  s.exited("web", exit_code(0), 4);
  s.expect_job("web", 3, JobResult::done);
}

TEST(Overlap, OneThatNamesAnotherAsTheMainOneLeavesTheOldOne) {
  Scenario s({notify("web")});
  halfway(s);
  s.handle(Notified{.unit = s.index("web"), .attempt = {2}, .main_pid = 1002});
  s.forget();
  s.handle(Notified{.unit = s.index("web"), .attempt = {2}, .ready = true, .main_pid = 77});
  s.expect("kill web #2 9 group");
  s.exited("web", killed_by(SIGKILL), 2);
  s.expect_job("web", 1, JobResult::failed);
  s.expect_step("web", UnitState::running, Step::none);
  EXPECT_EQ(s.record("web").pid, 1001);
}

TEST(Overlap, NotWhereTheOldOneWouldAnswerForTheNewOne) {
  UnitSpec spec = simple("web");
  spec.restart.overlap = true;
  spec.ready.make().kind = ReadyKind::http;
  Scenario s({spec});
  s.begin();
  s.spawned("web");
  s.ran("web", 2);
  s.expect_state("web", UnitState::running, Cause::boot);
  s.forget();
  overlap(s);
  s.expect("reply 1: cannot overlap web");
  s.restart("web");
  s.expect("web: stopping (request)", "kill web #1 15 group continue", "reply 2: web job 1");
}

TEST(Overlap, WhileWhatACrashHasLeftIsStoppedARestartIsAPlainOne) {
  Scenario s({notify("web")});
  halfway(s);
  s.main_exited("web", killed_by(SIGSEGV), 1);
  s.expect_job("web", 1, JobResult::none);
  says_ready(s, 2);
  s.expect_step("web", UnitState::running, Step::overlap);
  s.forget();
  overlap(s);
  s.expect_state("web", UnitState::stopping, Cause::request);
}

TEST(Overlap, HealthChecksArePausedAndReadyChecksAreOfTheNewOne) {
  UnitSpec spec = simple("web");
  spec.health.make().kind = HealthKind::command;
  spec.health.make().command = {"/bin/check"};
  spec.health.make().interval = 5s;
  spec.ready.make().kind = ReadyKind::command;
  spec.ready.make().command = {"/bin/ready"};
  Scenario s({spec});
  s.begin();
  s.spawned("web");
  s.ran("web", 2);
  s.expect_state("web", UnitState::running, Cause::boot);
  overlap(s);
  s.forget();
  s.spawned("web", 3);
  s.expect("spawn web #4 ready-check for #3");
  s.ran("web", 4);
  s.expect("acknowledge #4", "kill web #1 15 group continue");
  s.pass(6s);
  s.expect_nothing();
  s.exited("web", killed_by(SIGTERM), 1);
  s.forget();
  s.pass(5s);
  s.expect("spawn web #5 health-check for #3");
}

UnitSpec sensitive() {
  UnitSpec spec = notify("web");
  spec.health.make().kind = HealthKind::tcp;
  spec.health.make().interval = 5s;
  spec.health.make().failures = 1;
  return spec;
}

TEST(Overlap, ACheckThatIsInTheWayDoesNotCountAgainstTheNewOne) {
  Scenario s({sensitive()});
  up(s);
  s.pass(5s);
  s.spawned("web", 2);
  overlap(s);
  s.spawned("web", 3);
  s.forget();
  says_ready(s, 3);
  s.expect("kill web #2 9 group", "kill web #1 15 group continue");
  s.exited("web", killed_by(SIGTERM), 1);
  s.exited("web", killed_by(SIGKILL), 2);
  s.expect_step("web", UnitState::running, Step::none);
  EXPECT_EQ(s.record("web").health, Health::starting);
  s.forget();
  s.pass(5s);
  s.expect("spawn web #4 health-check for #3");
}

TEST(Overlap, TheNewOneHasItsStartPeriod) {
  UnitSpec spec = sensitive();
  spec.health.make().start_period = 8s;
  Scenario s({spec});
  up(s);
  s.pass(4s);
  overlap(s);
  s.spawned("web", 2);
  says_ready(s, 2);
  s.exited("web", killed_by(SIGTERM), 1);
  s.pass(5s);
  s.ran("web", 3, 1);
  s.expect_step("web", UnitState::running, Step::none);
  s.pass(5s);
  s.ran("web", 4, 1);
  s.expect_state("web", UnitState::stopping, Cause::health);
}

UnitRecord overlapping() {
  UnitRecord record = left(UnitState::running, 1);
  record.step = Step::overlap;
  record.job = {7};
  record.job_verb = Verb::overlap;
  record.successor = {.role = Role::successor, .attempt = {2}, .deadline = {1'080'000'000'000}};
  return record;
}

TEST(Overlap, ASuccessorOfTheManagerGoesOn) {
  Recovered found = after_crash(overlapping(), 1);
  found.units[0].live_successor = {2};
  Scenario s({notify("web")}, found);
  s.begin(false);
  s.expect("settled");
  s.spawned("web", 2);
  says_ready(s, 2);
  s.expect("kill web #1 15 group continue");
}

TEST(Overlap, ASpawnThatWasLostIsRepeated) {
  Scenario s({notify("web")}, after_crash(overlapping(), 1));
  s.begin(false);
  s.expect("spawn web #2 successor", "settled");
}

TEST(Overlap, ALostSpawnOfOneThatHasTheUnitToItselfWaitsForWhatIsLeftOfTheOldOne) {
  UnitRecord record = left(UnitState::starting, 2);
  record.step = Step::command;
  record.former = {.attempt = {1}, .deadline = {1'005'000'000'000}};
  Recovered found = after_crash(record, 0);
  found.units[0].live_overlapped = {1};
  found.units[0].overlapped_signal = SIGTERM;
  Scenario s({notify("web")}, found);
  s.begin(false);
  s.expect_nothing();
  s.handle(GroupEmptied{.unit = s.index("web"), .attempt = {1}});
  s.expect("acknowledge #1", "spawn web #3");
}

TEST(Overlap, AStopSignalThatWasLostIsRepeated) {
  UnitRecord record = left(UnitState::running, 2);
  record.step = Step::overlap;
  record.former = {.attempt = {1}, .pid = 1001, .deadline = {1'005'000'000'000}};
  Recovered found = after_crash(record, 2);
  found.units[0].live_overlapped = {1};
  {
    Scenario s({notify("web")}, found);
    s.begin(false);
    s.expect("kill web #1 15 group continue", "settled");
  }
  found.units[0].overlapped_signal = SIGTERM;
  Scenario s({notify("web")}, found);
  s.begin(false);
  s.expect("settled");
}

TEST(Overlap, WithoutARecordTheNewerOneIsKept) {
  Recovered found = after_crash({}, 2);
  found.units[0].record.reset();
  found.units[0].live_overlapped = {1};
  Scenario s({notify("web")}, found);
  s.begin(false);
  s.expect("kill web #1 9 group");
  s.exited("web", killed_by(SIGKILL), 1);
  s.spawned("web", 2);
  says_ready(s, 2);
  s.expect_step("web", UnitState::running, Step::none);
}

TEST(Overlap, WithoutARecordTheEndOfTheOlderOneIsCounted) {
  Recovered found = after_crash({}, 2);
  found.units[0].record.reset();
  found.units[0].live_overlapped = {1};
  found.units[0].overlapped_pid = 1001;
  Scenario s({notify("web")}, found);
  s.begin(false);
  s.exited("web", killed_by(SIGKILL), 1);
  EXPECT_EQ(s.record("web").exits, 1U);
}

/// The new process not ready yet, and the old one on its way down.
std::vector<Recovered> both_halves() {
  Recovered on_its_way_up = after_crash(overlapping(), 1);
  on_its_way_up.units[0].live_successor = {2};
  UnitRecord changed = left(UnitState::running, 2);
  changed.step = Step::overlap;
  changed.former = {.attempt = {1}, .pid = 1001, .deadline = {1'005'000'000'000}};
  Recovered on_its_way_down = after_crash(changed, 2, SIGTERM);
  on_its_way_down.units[0].live_overlapped = {1};
  on_its_way_down.units[0].overlapped_signal = SIGTERM;
  return {on_its_way_up, on_its_way_down};
}

TEST(Overlap, AUnitThatIsGoneHasBothStopped) {
  for (Recovered found : both_halves()) {
    found.units[0].unwanted = true;
    Scenario s({simple("web")}, found);
    s.begin(false);
    s.spawned("web", 1);
    s.spawned("web", 2);
    s.expect_state("web", UnitState::stopping, Cause::request);
    s.exited("web", killed_by(SIGTERM), 1);
    s.exited("web", killed_by(SIGTERM), 2);
    s.expect_state("web", UnitState::stopped, Cause::request);
  }
}

TEST(Overlap, WhereTheRecordIsOfNoUseNoneIsLeft) {
  for (Recovered found : both_halves()) {
    found.units[0].record->goal = Goal::down;
    Scenario s({simple("web")}, found);
    s.begin(false);
    s.spawned("web", 1);
    s.spawned("web", 2);
    s.exited("web", killed_by(SIGKILL), 1);
    s.expect_state("web", UnitState::stopping, Cause::request);
    s.exited("web", killed_by(SIGKILL), 2);
    s.expect_state("web", UnitState::stopped, Cause::request);
  }
}

TEST(Overlap, AUnitThatHasAnotherTypeNowEndsWithOneProcessOrNone) {
  UnitSpec forking = notify("web");
  forking.type = ServiceType::forking;
  UnitSpec eager = simple("web");
  UnitSpec listening = notify("web");
  listening.descriptors.make().start_on = StartOn::first_connection;
  for (const UnitSpec& spec : {oneshot("web"), group("web"), forking, eager, listening}) {
    for (const Recovered& found : both_halves()) {
      Scenario s({spec}, found);
      s.begin(false);
      s.spawned("web", 1);
      s.spawned("web", 2);
      s.stop("web");
      s.exited("web", killed_by(SIGTERM), 1);
      s.exited("web", killed_by(SIGTERM), 2);
      s.expect_state("web", UnitState::stopped, Cause::request);
    }
  }
}

}  // namespace
}  // namespace foster::core::test
