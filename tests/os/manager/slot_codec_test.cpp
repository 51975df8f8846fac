#include "daemon/manager/slot_codec.hpp"

#include <gtest/gtest.h>

namespace foster::manager {
namespace {

/// No field has its default, so that one which is forgotten shows.
core::UnitRecord full_numbers() {
  core::UnitRecord record;
  record.state = core::UnitState::backoff;
  record.goal = core::Goal::up;
  record.cause = core::Cause::on_failure;
  record.step = core::Step::post_stop;
  record.killed = true;
  record.masked = true;
  record.ready = true;
  record.was_up = true;
  record.health = core::Health::unhealthy;
  record.blocker = 17;
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
  record.start_deadline = {5'001};
  record.watchdog_deadline = {5'002};
  record.runtime_deadline = {5'003};
  record.check_next = {5'004};
  record.watchdog = Duration(5'005);
  record.command_index = 65'535;
  record.check_failures = 8;
  record.check_successes = 9;
  record.claimed_pid = 4712;
  record.service_errno = 98;
  record.hook = {.role = core::Role::post_stop,
                 .index = 65'534,
                 .killed = true,
                 .attempt = {72},
                 .pid = 4713,
                 .deadline = {5'006}};
  record.check = {.role = core::Role::health_check,
                  .index = 65'533,
                  .killed = true,
                  .attempt = {73},
                  .pid = 4714,
                  .deadline = {5'007}};
  record.successor = {.role = core::Role::successor,
                      .killed = true,
                      .ready = true,
                      .attempt = {74},
                      .pid = 4715,
                      .deadline = {5'008}};
  record.former = {.killed = true, .attempt = {69}, .pid = 4716, .deadline = {5'009}};
  record.trigger_start = {5'010};
  record.trigger_count = 5;
  record.last_exit = {.kind = core::ExitKind::core_dump,
                      .value = 11,
                      .clean = true,
                      .at = {999},
                      .at_real_ns = 77,
                      .user_us = 5,
                      .system_us = 6,
                      .max_rss_kib = 7};
  return record;
}

core::UnitRecord full_record() {
  core::UnitRecord record = full_numbers();
  record.status_text = "what it says";
  record.detail = "a sentence";
  record.job_verb = core::Verb::reset;
  record.job = {40};
  record.job_outcomes[0] = {.job = {39}, .result = core::JobResult::failed};
  record.job_outcomes[3] = {.job = {(1ull << 56) - 1}, .result = core::JobResult::superseded};
  return record;
}

constexpr Now kNow{{2'000}, 1'000'000};

TEST(SlotCodec, EverythingComesBack) {
  const core::UnitRecord before = full_record();
  const SlotFacts facts{.enablement = FOSTER_MASKED};
  EXPECT_TRUE(decode_slot(encode_slot(before, UnitSpec{}, facts, kNow)) == before);
  const core::UnitRecord empty;
  EXPECT_TRUE(decode_slot(encode_slot(empty, UnitSpec{}, {}, kNow)) == empty);
}

TEST(SlotCodec, EachFlagIsItsOwn) {
  bool core::UnitRecord::*const flags[] = {&core::UnitRecord::killed, &core::UnitRecord::ready,
                                           &core::UnitRecord::was_up};
  for (bool core::UnitRecord::*const flag : flags) {
    core::UnitRecord record;
    record.*flag = true;
    EXPECT_TRUE(decode_slot(encode_slot(record, UnitSpec{}, {}, kNow)) == record);
  }
  core::UnitRecord record;
  record.hook.killed = true;
  EXPECT_TRUE(decode_slot(encode_slot(record, UnitSpec{}, {}, kNow)) == record);
  record = {};
  record.check.killed = true;
  EXPECT_TRUE(decode_slot(encode_slot(record, UnitSpec{}, {}, kNow)) == record);
  record = {};
  record.successor = {.role = core::Role::successor, .ready = true, .attempt = {3}};
  EXPECT_TRUE(decode_slot(encode_slot(record, UnitSpec{}, {}, kNow)) == record);
  record.successor.ready = false;
  record.successor.killed = true;
  EXPECT_TRUE(decode_slot(encode_slot(record, UnitSpec{}, {}, kNow)) == record);
  record = {};
  record.former.killed = true;
  EXPECT_TRUE(decode_slot(encode_slot(record, UnitSpec{}, {}, kNow)) == record);
}

TEST(SlotCodec, TheUnitAndOthersAddWhatTheyKnow) {
  UnitSpec unit;
  unit.type = ServiceType::forking;
  unit.essential = true;
  const SlotFacts facts{.timer_next_real_ns = 55,
                        .enablement = FOSTER_DISABLED,
                        .socket_count = 2,
                        .held_count = 7,
                        .socket_ports = {80, 443, 0, 1}};
  const foster_slot_body body = encode_slot({}, unit, facts, kNow);
  EXPECT_EQ(body.type, FOSTER_TYPE_FORKING);
  EXPECT_EQ(body.flags, FOSTER_FLAG_ESSENTIAL);
  EXPECT_EQ(body.timer_next_real_ns, 55);
  EXPECT_EQ(body.enablement, FOSTER_DISABLED);
  EXPECT_EQ(body.socket_count, 2);
  EXPECT_EQ(body.held_count, 7);
  EXPECT_EQ(body.socket_ports[1], 443);
  EXPECT_EQ(body.socket_ports[3], 1);
}

TEST(SlotCodec, SinceIsGivenByTheWallClockToo) {
  const foster_slot_body body = encode_slot(full_record(), UnitSpec{}, {}, kNow);
  EXPECT_EQ(body.since_real_ns, 1'000'000 - 1'000);
}

TEST(SlotCodec, ALongDetailIsCutBetweenCharactersAndMarked) {
  core::UnitRecord record;
  const std::string most(FOSTER_TEXT_SIZE - 1, 'x');
  record.detail = most;
  EXPECT_EQ(std::string(encode_slot(record, UnitSpec{}, {}, kNow).detail), most);
  const std::string start(39, 'x');
  const std::string end = " is a file, which is left alone";
  record.detail = start + "ä" + std::string(60, 'y') + "ä" + std::string(13, 'z') + end;
  EXPECT_EQ(std::string(encode_slot(record, UnitSpec{}, {}, kNow).detail),
            start + "…" + std::string(13, 'z') + end);
}

}  // namespace
}  // namespace foster::manager
