#include "daemon/manager/slot_codec.hpp"

#include <gtest/gtest.h>

namespace foster::manager {
namespace {

core::UnitRecord full_record() {
  core::UnitRecord record;
  record.state = core::UnitState::backoff;
  record.goal = core::Goal::up;
  record.cause = core::Cause::exit;
  record.killed = true;
  record.attempt = {71};
  record.pid = 4711;
  record.exit_attempt = {70};
  record.exits = 12;
  record.restarts = 11;
  record.failures = 3;
  record.window_start = {123};
  record.window_count = 4;
  record.since = {1'000};
  record.started = {900};
  record.running = {950};
  record.deadline = {5'000};
  record.last_exit = {.kind = core::ExitKind::core_dump,
                      .value = 11,
                      .clean = false,
                      .at = {999},
                      .at_real_ns = 77,
                      .user_us = 5,
                      .system_us = 6,
                      .max_rss_kib = 7};
  record.detail = "a sentence";
  record.job_verb = core::Verb::restart;
  record.job = {40};
  record.job_outcomes[0] = {.job = {39}, .result = core::JobResult::failed};
  record.job_outcomes[3] = {.job = {(1ull << 56) - 1}, .result = core::JobResult::superseded};
  return record;
}

TEST(SlotCodec, EverythingASuccessorNeedsComesBack) {
  const core::UnitRecord before = full_record();
  const core::UnitRecord after = decode_slot(encode_slot(before, UnitSpec{}, {2'000}, 1'000'000));
  EXPECT_EQ(after.state, before.state);
  EXPECT_EQ(after.goal, before.goal);
  EXPECT_EQ(after.cause, before.cause);
  EXPECT_EQ(after.killed, before.killed);
  EXPECT_EQ(after.attempt, before.attempt);
  EXPECT_EQ(after.pid, before.pid);
  EXPECT_EQ(after.exit_attempt, before.exit_attempt);
  EXPECT_EQ(after.exits, before.exits);
  EXPECT_EQ(after.restarts, before.restarts);
  EXPECT_EQ(after.failures, before.failures);
  EXPECT_EQ(after.window_start, before.window_start);
  EXPECT_EQ(after.window_count, before.window_count);
  EXPECT_EQ(after.since, before.since);
  EXPECT_EQ(after.started, before.started);
  EXPECT_EQ(after.running, before.running);
  EXPECT_EQ(after.deadline, before.deadline);
  EXPECT_EQ(after.last_exit, before.last_exit);
  EXPECT_EQ(after.detail, before.detail);
  EXPECT_EQ(after.job_verb, before.job_verb);
  EXPECT_EQ(after.job, before.job);
  for (size_t i = 0; i < core::kJobOutcomes; ++i)
    EXPECT_EQ(after.job_outcomes[i], before.job_outcomes[i]);
}

TEST(SlotCodec, SinceIsGivenByTheWallClockToo) {
  const foster_slot_body body = encode_slot(full_record(), UnitSpec{}, {2'000}, 1'000'000);
  EXPECT_EQ(body.since_real_ns, 1'000'000 - 1'000);
}

TEST(SlotCodec, ALongDetailIsCutBetweenCharactersAndMarked) {
  core::UnitRecord record;
  const std::string most(FOSTER_TEXT_SIZE - 1, 'x');
  record.detail = most;
  EXPECT_EQ(std::string(encode_slot(record, UnitSpec{}, {0}, 0).detail), most);
  const std::string start(FOSTER_TEXT_SIZE - 5, 'x');
  record.detail = start + "ä and more";
  EXPECT_EQ(std::string(encode_slot(record, UnitSpec{}, {0}, 0).detail), start + "…");
}

}  // namespace
}  // namespace foster::manager
