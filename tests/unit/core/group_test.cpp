// The main process is gone and others of its group remain.
#include <csignal>

#include "tests/unit/core/scenario.hpp"

namespace foster::core::test {
namespace {

TEST(Group, TheRestIsStoppedBeforeTheUnitIsStartedAgain) {
  UnitSpec spec = simple("web");
  spec.stop.timeout = 5s;
  Scenario s({spec});
  s.running("web");
  s.main_exited("web", exit_code(1));
  s.expect("web: stopping (exit)", "kill web #1 15 group continue");
  EXPECT_EQ(s.record("web").exits, 1U) << "counted at once";
  EXPECT_EQ(s.record("web").pid, 0);
  s.pass(5s);
  s.expect("kill web #1 9 group");
  s.group_emptied("web");
  s.expect("acknowledge #1", "web: starting (exit)", "spawn web #2");
  EXPECT_EQ(s.record("web").exits, 1U);
  EXPECT_EQ(s.record("web").restarts, 1U);
}

TEST(Group, TheRestGetsTheSignalEvenIfTheScopeIsMain) {
  UnitSpec spec = simple("web");
  spec.stop.scope = SignalScope::main;
  Scenario s({spec});
  s.running("web");
  s.main_exited("web", exit_code(1));
  s.expect("web: stopping (exit)", "kill web #1 15 group continue");
}

TEST(Group, AStopWithScopeMainReachesTheRestOnceTheMainProcessIsGone) {
  UnitSpec spec = simple("web");
  spec.stop.scope = SignalScope::main;
  Scenario s({spec});
  s.running("web");
  s.stop("web");
  s.expect("web: stopping (request)", "kill web #1 15 main continue", "reply 1: web job 1");
  s.main_exited("web", exit_code(0));
  s.expect("kill web #1 15 group continue");
  s.group_emptied("web");
  s.expect("acknowledge #1", "web: stopped (request)");
}

TEST(Group, WhatIsLeftOfAStopIsAskedOnceMore) {
  Scenario s({simple("web")});
  s.running("web");
  s.stop("web");
  s.forget();
  s.main_exited("web", exit_code(0));
  s.expect("kill web #1 15 group continue");
}

TEST(Group, TheEndDecidesOnceTheGroupIsEmpty) {
  Scenario s({oneshot("bad"), oneshot("good")});
  s.begin();
  s.main_exited("good", exit_code(0));
  s.main_exited("bad", exit_code(1));
  s.group_emptied("good");
  s.group_emptied("bad");
  s.expect_state("good", UnitState::exited, Cause::exit);
  s.expect_state("bad", UnitState::failed, Cause::exit);
}

TEST(Group, AStopWhileTheRestIsStoppedIsDoneWithIt) {
  Scenario s({simple("web")});
  s.running("web");
  s.main_exited("web", exit_code(1));
  s.stop("web");
  s.group_emptied("web");
  s.expect_state("web", UnitState::stopped, Cause::request);
  s.expect_job("web", 1, JobResult::done);
  EXPECT_EQ(s.record("web").restarts, 0U);
}

TEST(Group, AStartWhileTheRestIsStoppedIsOwedWhateverThePolicy) {
  UnitSpec spec = simple("web");
  spec.restart.policy = RestartPolicy::never;
  Scenario s({spec});
  s.running("web");
  s.main_exited("web", exit_code(1));
  s.start("web");
  s.forget();
  s.group_emptied("web");
  s.expect("acknowledge #1", "web: starting (request)", "spawn web #2");
}

TEST(Group, AnExitToldAgainOnceTheGroupIsEmptyEndsTheAttempt) {
  Scenario s({simple("web")});
  s.running("web");
  s.main_exited("web", exit_code(1));
  s.main_exited("web", exit_code(1));
  s.forget();
  s.exited("web", exit_code(1));
  s.expect("acknowledge #1", "web: starting (exit)", "spawn web #2");
  EXPECT_EQ(s.record("web").exits, 1U);
}

TEST(Group, AnEmptyGroupIsNoEndWhileTheExitIsNotCounted) {
  Scenario s({simple("web")});
  s.running("web");
  s.stop("web");
  s.forget();
  s.group_emptied("web");
  s.expect_nothing();
  s.exited("web", exit_code(0));
  s.expect("acknowledge #1", "web: stopped (request)");
}

}  // namespace
}  // namespace foster::core::test
