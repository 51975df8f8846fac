// The end of the daemon: on request, and because of an essential unit.
#include <cerrno>
#include <csignal>

#include "tests/unit/core/scenario.hpp"

namespace foster::core::test {
namespace {

UnitSpec essential(UnitSpec spec) {
  spec.essential = true;
  return spec;
}

TEST(Shutdown, StopsEverythingAndEndsOnce) {
  UnitSpec slow = simple("slow");
  slow.restart.delay = 10s;
  Scenario s({oneshot("setup"), slow, simple("web")});
  s.begin();
  s.exited("setup", exit_code(0));
  s.exited("slow", exit_code(1));
  s.spawned("web");
  s.forget();
  s.shutdown(3);
  s.expect("slow: stopped (shutdown)", "web: stopping (shutdown)", "kill web #3 15 group continue");
  EXPECT_TRUE(s.supervisor().shutting_down());
  EXPECT_EQ(s.supervisor().exit_code(), 3);
  s.exited("web", killed_by(SIGTERM));
  s.expect("acknowledge #3", "web: stopped (shutdown)", "end with 3");
  s.start("web");
  s.shutdown(4);
  s.expect_nothing();
}

TEST(Shutdown, IsNotedWithItsCode) {
  Scenario s({simple("web")});
  s.running("web");
  s.shutdown(3);
  const Note& note = std::get<Note>(s.actions()[0]);
  EXPECT_EQ(note.kind, NoteKind::shutdown);
  EXPECT_FALSE(note.about_unit);
  EXPECT_EQ(note.value, 3);
}

TEST(Shutdown, OneThatIsHurriedDoesNotWaitForeverForWhatSigkillDoesNotEnd) {
  Scenario s({simple("web")});
  s.running("web");
  s.shutdown(3);
  s.pass(1h);
  s.expect_state("web", UnitState::stopping, Cause::shutdown);
  s.shutdown();
  s.forget();
  s.pass(9s);
  for (const std::string& line : s.take_lines())
    EXPECT_EQ(line, "kill web #1 9 group");
  s.pass(1s);
  EXPECT_EQ(s.take_lines().back(), "end with 3");
  s.leap(2s);
  s.shutdown();
  s.pass(1h);
  s.exited("web", killed_by(SIGKILL));
  s.expect_nothing();
}

TEST(Shutdown, RefusesStartsAndAnswersStops) {
  Scenario s({simple("web")});
  s.running("web");
  s.shutdown();
  s.forget();
  s.start("web");
  s.restart("web");
  s.stop("web");
  s.expect("reply 1: shutting down", "reply 2: shutting down", "reply 3: web job 1");
  s.exited("web", exit_code(0));
  s.expect("acknowledge #1", "web: stopped (shutdown)", "end with 0");
  s.expect_job("web", 1, JobResult::done);
}

TEST(Shutdown, SupersedesWhatWasToBeStarted) {
  Scenario s({simple("web")});
  s.running("web");
  s.restart("web");
  s.shutdown();
  s.expect_job("web", 1, JobResult::superseded);
  s.forget();
  s.exited("web", exit_code(0));
  s.expect("acknowledge #1", "web: stopped (shutdown)", "end with 0");
}

TEST(Shutdown, ASecondRequestHurries) {
  Scenario s({oneshot("setup"), simple("web")});
  s.begin();
  s.exited("setup", exit_code(0));
  s.spawned("web");
  s.shutdown(1);
  s.forget();
  s.shutdown(2);
  s.expect("kill web #2 9 group");
  s.exited("web", killed_by(SIGKILL));
  s.expect("acknowledge #2", "web: stopped (shutdown)", "end with 1");
}

TEST(Shutdown, BeforeTheStartHasSettledDoesNotPretendThatItHas) {
  Scenario s({simple("web")});
  s.begin();
  s.shutdown();
  s.forget();
  s.exited("web", killed_by(SIGTERM));
  s.expect("acknowledge #1", "web: stopped (shutdown)", "end with 0");
}

TEST(Essential, ItsEndForGoodIsTheEndOfAll) {
  Scenario s({essential(oneshot("main")), simple("web")});
  s.begin();
  s.spawned("web");
  s.forget();
  s.exited("main", exit_code(4));
  s.expect("acknowledge #1", "main: failed (exit)", "web: stopping (shutdown)",
           "kill web #2 15 group continue");
  s.exited("web", killed_by(SIGTERM));
  s.expect("acknowledge #2", "web: stopped (shutdown)", "end with 4");
  s.expect_state("main", UnitState::failed, Cause::exit);
}

TEST(Essential, ItsCodeIsTheShells) {
  const auto code_after = [](auto&& end) {
    Scenario s({essential(oneshot("main"))});
    s.begin();
    end(s);
    EXPECT_TRUE(s.supervisor().shutting_down());
    return s.supervisor().exit_code();
  };
  EXPECT_EQ(code_after([](Scenario& s) { s.exited("main", exit_code(0)); }), 0);
  EXPECT_EQ(code_after([](Scenario& s) { s.exited("main", killed_by(SIGSEGV)); }), 139);
  EXPECT_EQ(code_after([](Scenario& s) { s.spawn_failed("main", ENOENT); }), 127);
  EXPECT_EQ(code_after([](Scenario& s) { s.spawn_failed("main", EACCES); }), 126);
}

TEST(Essential, IsRestartedAsLongAsItsPolicySaysSo) {
  UnitSpec spec = essential(simple("main"));
  spec.restart.limit = 1;
  Scenario s({spec});
  s.running("main");
  s.exited("main", exit_code(9));
  EXPECT_FALSE(s.supervisor().shutting_down());
  s.exited("main", exit_code(8));
  s.expect_state("main", UnitState::failed, Cause::rate_limited);
  EXPECT_EQ(s.supervisor().exit_code(), 8);
}

TEST(Essential, AStopOnRequestIsNotItsEndForGood) {
  Scenario s({essential(simple("main"))});
  s.running("main");
  s.stop("main");
  s.exited("main", exit_code(1));
  s.expect_state("main", UnitState::stopped, Cause::request);
  EXPECT_FALSE(s.supervisor().shutting_down());
}

TEST(Essential, TheFirstRequestAfterItDoesNotHurryYet) {
  Scenario s({essential(oneshot("main")), simple("web")});
  s.begin();
  s.spawned("web");
  s.exited("main", exit_code(4));
  s.forget();
  s.shutdown(0);
  s.expect_nothing();
  s.shutdown(0);
  s.expect("kill web #2 9 group");
  EXPECT_EQ(s.supervisor().exit_code(), 4);
}

TEST(Shutdown, AnEssentialUnitThatMayNotAnswerAFailureAnyMoreIsGone) {
  UnitSpec job = oneshot("job");
  job.enabled = false;
  job.restart.policy = RestartPolicy::never;
  job.hooks.make().on_failure = to("main");
  UnitSpec main = essential(simple("main"));
  main.enabled = false;
  main.restart.limit = 1;
  Scenario s({job, main});
  s.begin();
  for (int i = 0; i < 2; ++i) {
    EXPECT_FALSE(s.supervisor().shutting_down());
    s.start("job");
    s.exited("job", exit_code(1));
    if (i > 0) break;
    s.spawned("main");
    s.stop("main");
    s.exited("main", killed_by(SIGTERM));
  }
  s.expect_state("main", UnitState::failed, Cause::rate_limited);
  EXPECT_TRUE(s.supervisor().shutting_down());
}

}  // namespace
}  // namespace foster::core::test
