// Requests, their replies, and jobs as things to wait for.
#include <cerrno>
#include <csignal>

#include "tests/unit/core/scenario.hpp"

namespace foster::core::test {
namespace {

TEST(Job, AStartOfARunningUnitIsDoneAtOnce) {
  Scenario s({simple("web")});
  s.running("web");
  s.start("web");
  s.expect("reply 1: web job 1");
  s.expect_job("web", 1, JobResult::done);
}

TEST(Job, AStartJoinsARunningOneshotAndEndsWithIt) {
  Scenario s({oneshot("setup")});
  s.running("setup");
  s.start("setup");
  s.start("setup");
  s.expect("reply 1: setup job 1", "reply 2: setup job 1");
  s.exited("setup", exit_code(0));
  s.expect_job("setup", 1, JobResult::done);
}

TEST(Job, TheSameVerbJoinsAndAContraryOneSupersedes) {
  Scenario s({simple("web")});
  s.running("web");
  s.stop("web");
  s.stop("web");
  s.start("web");
  s.start("web");
  s.stop("web");
  s.forget();
  s.expect_job("web", 1, JobResult::superseded);
  s.expect_job("web", 2, JobResult::superseded);
  s.expect_job("web", 3, JobResult::none);
  s.exited("web", exit_code(0));
  s.expect("acknowledge #1", "web: stopped (request)");
  s.expect_job("web", 3, JobResult::done);
}

TEST(Job, AStartJoinsARestart) {
  Scenario s({simple("web")});
  s.running("web");
  s.restart("web");
  s.start("web");
  s.restart("web");
  s.expect("web: stopping (request)", "kill web #1 15 group continue", "reply 1: web job 1",
           "reply 2: web job 1", "reply 3: web job 1");
}

TEST(Job, ARestartTakesTheFirstStartsPlace) {
  Scenario s({simple("web")});
  s.begin();
  s.start("web");
  s.forget();
  s.restart("web");
  s.expect("web: stopping (request)", "kill web #1 15 group continue", "reply 2: web job 2");
  s.expect_job("web", 1, JobResult::superseded);
}

TEST(Job, FailsAtOnceWhenTheFirstAttemptEndsBadly) {
  UnitSpec slow = oneshot("slow");
  slow.restart.policy = RestartPolicy::on_failure;
  slow.restart.delay = 10s;
  UnitSpec at_once = slow;
  at_once.name = "at-once";
  at_once.restart.delay = 0s;
  Scenario s({at_once, oneshot("once"), slow});
  s.begin();
  s.request(Verb::start, {"at-once", "once", "slow"});
  for (const char* unit : {"at-once", "once", "slow"})
    s.exited(unit, exit_code(1));
  s.expect_job("at-once", 1, JobResult::failed);
  s.expect_job("once", 2, JobResult::failed);
  s.expect_job("slow", 3, JobResult::failed);
  s.expect_state("at-once", UnitState::starting, Cause::exit);
  s.expect_state("slow", UnitState::backoff, Cause::exit);
}

TEST(Job, OfASimpleUnitFailsWhenItsSpawnFailsOrItEndsBeforeItIsKnownToRun) {
  UnitSpec never = simple("never");
  never.restart.policy = RestartPolicy::never;
  Scenario s({never, simple("web")});
  s.begin();
  s.request(Verb::start, {"never", "web"});
  s.spawn_failed("never", ENOENT);
  s.exited("web", exit_code(1));
  s.expect_job("never", 1, JobResult::failed);
  s.expect_job("web", 2, JobResult::failed);
}

TEST(Job, OfASimpleUnitThatEndedWellBeforeItWasKnownToRunIsDone) {
  Scenario s({simple("web")});
  s.begin();
  s.start("web");
  s.exited("web", exit_code(0));
  s.expect_job("web", 1, JobResult::done);
}

TEST(Job, TheFourLatestOutcomesAreKeptNewestFirst) {
  Scenario s({simple("web")});
  s.running("web");
  for (int i = 0; i < 6; ++i)
    s.start("web");
  const UnitRecord& record = s.record("web");
  for (uint64_t i = 0; i < kJobOutcomes; ++i)
    EXPECT_EQ(record.job_outcomes[i].job.value, 6 - i);
}

TEST(Request, EachUnitIsNotedAndAnsweredInTheRequestsOrder) {
  Scenario s({simple("db"), simple("web")});
  s.running("db");
  s.running("web");
  s.request(Verb::start, {"web", "db"});
  std::vector<std::string> noted;
  for (const Action& action : s.actions()) {
    const Note* note = std::get_if<Note>(&action);
    if (note != nullptr && note->kind == NoteKind::request) noted.push_back(note->text);
  }
  EXPECT_EQ(noted, (std::vector<std::string>{"start", "start"}));
  s.expect("reply 1: web job 1 db job 2");
}

TEST(Signal, GoesToTheMainProcesses) {
  Scenario s({simple("db"), simple("web")});
  s.running("db");
  s.running("web");
  s.signal(SIGHUP, {"web", "db"});
  s.expect("kill web #2 1 main", "kill db #1 1 main", "reply 1: web job 0 db job 0");
}

TEST(Signal, IsRefusedWhereThereIsNoProcessAndThenSentToNobody) {
  Scenario s({simple("db"), simple("web")});
  s.begin();
  s.spawned("web");
  s.forget();
  s.signal(SIGHUP, {"web", "db"});
  s.expect("reply 1: not running db");
}

TEST(Signal, ADeathByARequestedSignalIsAnEndNobodyAskedFor) {
  Scenario s({simple("web")});
  s.running("web");
  s.signal(SIGKILL, {"web"});
  s.forget();
  s.exited("web", killed_by(SIGKILL));
  s.expect("acknowledge #1", "web: starting (exit)", "spawn web #2");
}

TEST(Signal, AFailureToSendIsNotedUnlessNobodyIsLeft) {
  Scenario s({simple("web")});
  s.running("web");
  s.stop("web");
  s.forget();
  s.kill_failed("web", SIGTERM, ESRCH);
  EXPECT_TRUE(s.actions().empty());
  s.kill_failed("web", SIGTERM, EPERM);
  ASSERT_EQ(s.actions().size(), 1U);
  const Note& note = std::get<Note>(s.actions()[0]);
  EXPECT_EQ(note.kind, NoteKind::signal);
  EXPECT_EQ(note.text, "cannot send the signal: Operation not permitted");
  s.expect_state("web", UnitState::stopping, Cause::request);
}

}  // namespace
}  // namespace foster::core::test
