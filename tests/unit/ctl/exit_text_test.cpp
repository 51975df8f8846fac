#include <cerrno>
#include <csignal>
#include <limits>

#include <gtest/gtest.h>

#include "ctl/condition.hpp"
#include "ctl/reason.hpp"
#include "ctl/words.hpp"
#include "tests/unit/ctl/samples.hpp"

namespace foster::ctl::test {
namespace {

TEST(ExitText, NamesTheWayItEnded) {
  EXPECT_EQ(exit_text(FOSTER_EXIT_NONE, 0, ""), "");
  EXPECT_EQ(exit_text(FOSTER_EXIT_CODE, 3, "ignored"), "exited with code 3");
  EXPECT_EQ(exit_text(FOSTER_EXIT_SIGNAL, SIGKILL, ""), "killed by SIGKILL");
  EXPECT_EQ(exit_text(FOSTER_EXIT_CORE, SIGSEGV, ""), "killed by SIGSEGV (core dumped)");
  EXPECT_EQ(exit_text(FOSTER_EXIT_SPAWN, ENOENT, "cannot execute /x: why"),
            "cannot execute /x: why");
  EXPECT_EQ(exit_text(FOSTER_EXIT_SPAWN, ENOENT, ""),
            "could not be started: No such file or directory");
  EXPECT_EQ(exit_text(FOSTER_EXIT_SPAWN, 0, ""), "could not be started");
  EXPECT_EQ(exit_text(200, 0, ""), "ended in a way that this fosterctl does not know");
}

TEST(Words, NumbersOfANewerDaemonAreUnknownAndNotAnError) {
  EXPECT_EQ(state_word(FOSTER_STATE_FAILED), "failed");
  EXPECT_EQ(state_word(FOSTER_STATE_LISTENING + 1), "unknown");
  EXPECT_EQ(cause_word(255), "unknown");
  EXPECT_EQ(cause_text(255), "unknown");
  EXPECT_EQ(phase_word(77), "unknown");
  EXPECT_EQ(event_word(200), "unknown");
  EXPECT_EQ(verb_word(5 << 8 | 3), "restart");
}

TEST(WhyText, RateLimitComesWithTheLastExit) {
  UnitView view;
  foster_slot_body& body = view.body;
  body.state = FOSTER_STATE_FAILED;
  body.cause = FOSTER_CAUSE_RATE_LIMITED;
  body.exit_kind = FOSTER_EXIT_CODE;
  body.exit_value = 1;
  EXPECT_EQ(why_text(view, kNow), "restarted too often; exited with code 1");
  set_detail(body, "restarted 10 times within 10s");
  EXPECT_EQ(why_text(view, kNow), "restarted 10 times within 10s; exited with code 1");
}

TEST(WhyText, AMaskedOneDidNotFailByItsLastExit) {
  UnitView view;
  foster_slot_body& body = view.body;
  body.state = FOSTER_STATE_FAILED;
  body.cause = FOSTER_CAUSE_MASKED;
  body.enablement = FOSTER_MASKED;
  body.exit_kind = FOSTER_EXIT_CODE;
  EXPECT_EQ(why_text(view, kNow), "masked");
}

TEST(WhyText, ARestartThatWasGivenUpIsToldWhileTheOldProcessGoesOn) {
  UnitView view;
  foster_slot_body& body = view.body;
  body.state = FOSTER_STATE_RUNNING;
  set_detail(body, "the new process exited with 3 before it was ready");
  EXPECT_EQ(why_text(view, kNow),
            "its last restart was given up: the new process exited with 3 before it was ready");
}

TEST(WhyText, StoppingSaysWhatComesNext) {
  UnitView view;
  foster_slot_body& body = view.body;
  body.state = FOSTER_STATE_STOPPING;
  EXPECT_EQ(why_text(view, kNow), "what is left of it is being ended");
  body.deadline_boot_ns = kNow.boot.ns + 90 * kSecond;
  EXPECT_EQ(why_text(view, kNow), "SIGKILL in 1min");
  body.deadline_boot_ns = kNow.boot.ns - 1;
  EXPECT_EQ(why_text(view, kNow), "SIGKILL now");
  body.flags = FOSTER_FLAG_KILLED;
  body.goal = FOSTER_GOAL_UP;
  EXPECT_EQ(why_text(view, kNow), "to be started again; SIGKILL was sent");
}

TEST(WhyText, RunningAfterARestartSaysWhatWentBefore) {
  UnitView view;
  foster_slot_body& body = view.body;
  body.state = FOSTER_STATE_RUNNING;
  EXPECT_EQ(why_text(view, kNow), "");
  body.cause = FOSTER_CAUSE_EXIT;
  body.restarts = 1;
  body.exit_kind = FOSTER_EXIT_SIGNAL;
  body.exit_value = SIGKILL;
  EXPECT_EQ(why_text(view, kNow), "started again: killed by SIGKILL");
}

UnitView in_step(uint8_t state, uint8_t step) {
  UnitView view = unit("web", state, 1);
  view.body.step = step;
  return view;
}

TEST(StateText, HasEachStepInWords) {
  const auto text = [](uint8_t state, uint8_t step) { return state_text(in_step(state, step)); };
  EXPECT_EQ(text(FOSTER_STATE_STARTING, FOSTER_STEP_CONDITIONS),
            "starting: checking its conditions");
  EXPECT_EQ(text(FOSTER_STATE_STARTING, FOSTER_STEP_PRE_START), "starting: pre-start");
  EXPECT_EQ(text(FOSTER_STATE_STARTING, FOSTER_STEP_COMMAND), "starting");
  EXPECT_EQ(text(FOSTER_STATE_STARTING, FOSTER_STEP_FIND_MAIN),
            "starting: looking for its main process");
  EXPECT_EQ(text(FOSTER_STATE_STARTING, FOSTER_STEP_READY), "starting: waiting to be ready");
  EXPECT_EQ(text(FOSTER_STATE_STARTING, FOSTER_STEP_POST_START), "starting: post-start");
  EXPECT_EQ(text(FOSTER_STATE_RUNNING, FOSTER_STEP_RELOAD), "running: reloading");
  EXPECT_EQ(text(FOSTER_STATE_STOPPING, FOSTER_STEP_DEPENDENTS),
            "stopping: waiting for others to stop");
  EXPECT_EQ(text(FOSTER_STATE_STOPPING, FOSTER_STEP_PRE_STOP), "stopping: pre-stop");
  EXPECT_EQ(text(FOSTER_STATE_STOPPING, FOSTER_STEP_STOP_COMMAND), "stopping: its stop command");
  EXPECT_EQ(text(FOSTER_STATE_STOPPING, FOSTER_STEP_SIGNAL), "stopping");
  EXPECT_EQ(text(FOSTER_STATE_STOPPING, FOSTER_STEP_POST_STOP), "stopping: post-stop");
  UnitView oneshot = in_step(FOSTER_STATE_RUNNING, FOSTER_STEP_COMMAND);
  oneshot.body.type = FOSTER_TYPE_ONESHOT;
  oneshot.body.command_index = 2;
  EXPECT_EQ(state_text(oneshot), "running: command 3");
  UnitView waiting = unit("web", FOSTER_STATE_WAITING, 1);
  EXPECT_EQ(state_text(waiting), "waiting");
  waiting.blocker = "db";
  EXPECT_EQ(state_text(waiting), "waiting for db");
  UnitView skipped = unit("web", FOSTER_STATE_SKIPPED, 1);
  set_detail(skipped.body, "path /x does not exist");
  EXPECT_EQ(state_text(skipped), "skipped: path /x does not exist");
}

TEST(WhyText, EachStateAtRestSaysItsCause) {
  UnitView web = unit("web", FOSTER_STATE_STOPPED, 1);
  web.body.enablement = FOSTER_MASKED;
  EXPECT_EQ(why_text(web, kNow), "never started, masked");
  web.body.cause = FOSTER_CAUSE_MASKED;
  web.body.attempt = 1;
  EXPECT_EQ(why_text(web, kNow), "masked");
  web.body.enablement = FOSTER_ENABLED;
  web.blocker = "db";
  web.body.cause = FOSTER_CAUSE_DEPENDENCY;
  EXPECT_EQ(why_text(web, kNow), "because of db, which it depends on");
  web.body.cause = FOSTER_CAUSE_CONFLICT;
  EXPECT_EQ(why_text(web, kNow), "because db, which it conflicts with, was started");
  web.body.state = FOSTER_STATE_FAILED;
  web.body.cause = FOSTER_CAUSE_DEPENDENCY;
  EXPECT_EQ(why_text(web, kNow), "db, which it depends on, has failed");
  web.body.cause = FOSTER_CAUSE_START_TIMEOUT;
  EXPECT_EQ(why_text(web, kNow), "was not ready in time");
  web.body.state = FOSTER_STATE_WAITING;
  EXPECT_EQ(why_text(web, kNow), "for db");
  web.body.state = FOSTER_STATE_EXITED;
  web.body.exit_kind = FOSTER_EXIT_CODE;
  web.body.timer_next_real_ns = kNow.real_ns + 5 * kSecond;
  EXPECT_EQ(why_text(web, kNow), "exited with code 0; its timer starts it in 5.0s");
}

TEST(WhyText, StopOfADependencyTellsWhoHoldsItUp) {
  UnitView db = in_step(FOSTER_STATE_STOPPING, FOSTER_STEP_DEPENDENTS);
  db.held_by = "web, api";
  EXPECT_EQ(why_text(db, kNow), "waiting for web, api to stop");
}

TEST(TimeText, IsCoarserTheLongerItIs) {
  EXPECT_EQ(age_text(Duration(kSecond - 1)), "just now");
  EXPECT_EQ(age_text(Duration(-5 * kSecond)), "just now");
  EXPECT_EQ(age_text(Duration(59 * kSecond)), "59s ago");
  EXPECT_EQ(age_text(Duration(60 * kSecond)), "1min ago");
  EXPECT_EQ(age_text(Duration(3600 * kSecond)), "1h 0min ago");
  EXPECT_EQ(age_text(Duration(86'400 * kSecond)), "1d 0h ago");
  EXPECT_EQ(span_text(Duration(std::numeric_limits<int64_t>::min())), "0s");
}

TEST(Conditions, HealthyIsUpWithNoCheckAgainstIt) {
  foster_slot_body body{};
  body.state = FOSTER_STATE_RUNNING;
  const auto healthy = [&](uint8_t health) {
    body.health = health;
    return holds(Condition::healthy, body);
  };
  EXPECT_TRUE(healthy(FOSTER_HEALTH_NONE));
  EXPECT_TRUE(healthy(FOSTER_HEALTH_HEALTHY));
  EXPECT_FALSE(healthy(FOSTER_HEALTH_STARTING));
  EXPECT_FALSE(healthy(FOSTER_HEALTH_UNHEALTHY));
  body.state = FOSTER_STATE_STARTING;
  EXPECT_FALSE(healthy(FOSTER_HEALTH_NONE));
}

TEST(Conditions, UpAndDownDependOnTheType) {
  foster_slot_body simple{};
  simple.type = FOSTER_TYPE_SIMPLE;
  foster_slot_body oneshot{};
  oneshot.type = FOSTER_TYPE_ONESHOT;
  const auto in = [](foster_slot_body body, uint8_t state) {
    body.state = state;
    return body;
  };
  EXPECT_TRUE(holds(Condition::up, in(simple, FOSTER_STATE_RUNNING)));
  EXPECT_FALSE(holds(Condition::up, in(simple, FOSTER_STATE_EXITED)));
  EXPECT_FALSE(holds(Condition::up, in(oneshot, FOSTER_STATE_RUNNING)));
  EXPECT_TRUE(holds(Condition::up, in(oneshot, FOSTER_STATE_EXITED)));
  for (const uint8_t state :
       {FOSTER_STATE_STOPPED, FOSTER_STATE_EXITED, FOSTER_STATE_FAILED, FOSTER_STATE_SKIPPED})
    EXPECT_TRUE(holds(Condition::down, in(simple, state)));
  for (const uint8_t state : {FOSTER_STATE_STARTING, FOSTER_STATE_RUNNING, FOSTER_STATE_STOPPING,
                              FOSTER_STATE_BACKOFF, FOSTER_STATE_WAITING})
    EXPECT_FALSE(holds(Condition::down, in(simple, state)));
  EXPECT_TRUE(holds(Condition::waiting, in(simple, FOSTER_STATE_WAITING)));
  EXPECT_TRUE(holds(Condition::skipped, in(simple, FOSTER_STATE_SKIPPED)));
  EXPECT_FALSE(holds(Condition::ready, in(simple, FOSTER_STATE_STARTING)));
  EXPECT_TRUE(holds(Condition::ready, in(simple, FOSTER_STATE_RUNNING)));
  EXPECT_FALSE(condition_of("runing").has_value());
}

}  // namespace
}  // namespace foster::ctl::test
