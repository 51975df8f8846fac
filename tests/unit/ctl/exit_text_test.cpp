#include <cerrno>
#include <csignal>
#include <limits>

#include <gtest/gtest.h>

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
  EXPECT_EQ(state_word(FOSTER_STATE_SKIPPED + 1), "unknown");
  EXPECT_EQ(cause_word(255), "unknown");
  EXPECT_EQ(cause_text(255), "unknown");
  EXPECT_EQ(phase_word(77), "unknown");
  EXPECT_EQ(event_word(200), "unknown");
  EXPECT_EQ(verb_word(5 << 8 | 3), "restart");
}

TEST(WhyText, RateLimitComesWithTheLastExit) {
  foster_slot_body body{};
  body.state = FOSTER_STATE_FAILED;
  body.cause = FOSTER_CAUSE_RATE_LIMITED;
  body.exit_kind = FOSTER_EXIT_CODE;
  body.exit_value = 1;
  EXPECT_EQ(why_text(body, kNow.boot), "restarted too often; exited with code 1");
  set_detail(body, "restarted 10 times within 10s");
  EXPECT_EQ(why_text(body, kNow.boot), "restarted 10 times within 10s; exited with code 1");
}

TEST(WhyText, StoppingSaysWhatComesNext) {
  foster_slot_body body{};
  body.state = FOSTER_STATE_STOPPING;
  EXPECT_EQ(why_text(body, kNow.boot), "what is left of it is being ended");
  body.deadline_boot_ns = kNow.boot.ns + 90 * kSecond;
  EXPECT_EQ(why_text(body, kNow.boot), "SIGKILL in 1min");
  body.deadline_boot_ns = kNow.boot.ns - 1;
  EXPECT_EQ(why_text(body, kNow.boot), "SIGKILL now");
  body.flags = FOSTER_FLAG_KILLED;
  body.goal = FOSTER_GOAL_UP;
  EXPECT_EQ(why_text(body, kNow.boot), "to be started again; SIGKILL was sent");
}

TEST(WhyText, RunningAfterARestartSaysWhatWentBefore) {
  foster_slot_body body{};
  body.state = FOSTER_STATE_RUNNING;
  EXPECT_EQ(why_text(body, kNow.boot), "");
  body.cause = FOSTER_CAUSE_EXIT;
  body.restarts = 1;
  body.exit_kind = FOSTER_EXIT_SIGNAL;
  body.exit_value = SIGKILL;
  EXPECT_EQ(why_text(body, kNow.boot), "started again: killed by SIGKILL");
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
  for (const uint8_t state : {FOSTER_STATE_STOPPED, FOSTER_STATE_EXITED, FOSTER_STATE_FAILED})
    EXPECT_TRUE(holds(Condition::down, in(simple, state)));
  for (const uint8_t state :
       {FOSTER_STATE_STARTING, FOSTER_STATE_RUNNING, FOSTER_STATE_STOPPING, FOSTER_STATE_BACKOFF})
    EXPECT_FALSE(holds(Condition::down, in(simple, state)));
  EXPECT_FALSE(condition_of("runing").has_value());
}

}  // namespace
}  // namespace foster::ctl::test
