#include "daemon/manager/notify_access.hpp"

#include <gtest/gtest.h>

namespace foster::manager {
namespace {

using core::Step;
using core::UnitState;

constexpr int32_t kMain = 100;
constexpr int32_t kHook = 200;
constexpr int32_t kCheck = 300;
constexpr int32_t kOther = 400;

UnitSpec unit(NotifyAccess access, ServiceType type = ServiceType::notify) {
  UnitSpec spec;
  spec.type = type;
  spec.notify_access = access;
  return spec;
}

core::UnitRecord running() {
  core::UnitRecord record;
  record.state = UnitState::running;
  record.attempt = {1};
  record.pid = kMain;
  record.hook.attempt = {2};
  record.hook.pid = kHook;
  record.check.attempt = {3};
  record.check.pid = kCheck;
  return record;
}

Sender sender(int32_t pid) {
  return {.pid = pid, .trusted = true, .group = pid, .session = pid};
}

TEST(NotifyAccess, MainIsTheMainProcess) {
  const UnitSpec spec = unit(NotifyAccess::main);
  EXPECT_EQ(judge_sender(spec, running(), sender(kMain)), Verdict::admitted);
  for (const int32_t pid : {kHook, kCheck, kOther, 0})
    EXPECT_EQ(judge_sender(spec, running(), sender(pid)), Verdict::not_main) << pid;
}

TEST(NotifyAccess, AClaimedMainProcessIsHeard) {
  core::UnitRecord record = running();
  record.claimed_pid = kOther;
  EXPECT_EQ(judge_sender(unit(NotifyAccess::main), record, sender(kOther)), Verdict::admitted);
}

TEST(NotifyAccess, ExecIsWhatTheKeeperStarted) {
  const UnitSpec spec = unit(NotifyAccess::exec);
  for (const int32_t pid : {kMain, kHook, kCheck})
    EXPECT_EQ(judge_sender(spec, running(), sender(pid)), Verdict::admitted) << pid;
  EXPECT_EQ(judge_sender(spec, running(), sender(kOther)), Verdict::not_exec);
}

TEST(NotifyAccess, AllIsByGroupSessionOrMark) {
  const UnitSpec spec = unit(NotifyAccess::all);
  Sender worker = sender(kOther);
  worker.trusted = false;
  EXPECT_EQ(judge_sender(spec, running(), worker), Verdict::not_of_unit);
  worker.group = kMain;
  EXPECT_EQ(judge_sender(spec, running(), worker), Verdict::admitted);
  worker.group = kOther;
  worker.session = kHook;
  EXPECT_EQ(judge_sender(spec, running(), worker), Verdict::admitted);
  worker.session = kOther;
  worker.marked = true;
  EXPECT_EQ(judge_sender(spec, running(), worker), Verdict::not_of_unit) << "anyone can say that";
  worker.trusted = true;
  EXPECT_EQ(judge_sender(spec, running(), worker), Verdict::admitted);
}

TEST(NotifyAccess, OneThatHasEndedIsBelievedForItsUser) {
  Sender gone{.pid = kOther, .gone = true, .trusted = true};
  EXPECT_EQ(judge_sender(unit(NotifyAccess::all), running(), gone), Verdict::admitted);
  EXPECT_EQ(judge_sender(unit(NotifyAccess::exec), running(), gone), Verdict::not_exec);
  gone.trusted = false;
  EXPECT_EQ(judge_sender(unit(NotifyAccess::all), running(), gone), Verdict::not_of_unit);
}

TEST(NotifyAccess, AUnitWithoutProcessesKnowsNobody) {
  const core::UnitRecord at_rest;
  EXPECT_EQ(judge_sender(unit(NotifyAccess::main), at_rest, sender(0)), Verdict::not_main);
  EXPECT_EQ(judge_sender(unit(NotifyAccess::all), at_rest, Sender{}), Verdict::not_of_unit);
}

TEST(NotifyAccess, AMessageThatOvertakesTheNewsOfItsSenderWaits) {
  core::UnitRecord record = running();
  record.state = UnitState::starting;
  record.step = Step::command;
  record.pid = 0;
  for (const auto access : {NotifyAccess::main, NotifyAccess::exec, NotifyAccess::all}) {
    EXPECT_TRUE(pid_is_under_way(unit(access), record));
    EXPECT_EQ(judge_sender(unit(access), record, sender(kOther)), Verdict::too_early);
  }
  record.pid = kMain;
  EXPECT_EQ(judge_sender(unit(NotifyAccess::main), record, sender(kOther)), Verdict::not_main);
}

TEST(NotifyAccess, AHooksPidIsWaitedForWhereHooksAreHeard) {
  core::UnitRecord record = running();
  record.hook.pid = 0;
  EXPECT_EQ(judge_sender(unit(NotifyAccess::main), record, sender(kOther)), Verdict::not_main);
  EXPECT_EQ(judge_sender(unit(NotifyAccess::exec), record, sender(kOther)), Verdict::too_early);
  EXPECT_EQ(judge_sender(unit(NotifyAccess::exec), record, sender(kMain)), Verdict::admitted);
}

TEST(NotifyAccess, AForkingUnitIsHeardWholeUntilItsMainProcessIsKnown) {
  const UnitSpec spec = unit(NotifyAccess::main, ServiceType::forking);
  core::UnitRecord record = running();
  record.state = UnitState::starting;
  record.step = Step::find_main;
  record.pid = 0;
  Sender daemon = sender(kOther);
  daemon.marked = true;
  EXPECT_EQ(judge_sender(spec, record, daemon), Verdict::admitted);
  record.step = Step::ready;
  record.pid = kMain;
  EXPECT_EQ(judge_sender(spec, record, daemon), Verdict::not_main);
}

TEST(NotifyAccess, EachRefusalSaysWhy) {
  for (const Verdict verdict : {Verdict::not_main, Verdict::not_exec, Verdict::not_of_unit})
    EXPECT_NE(std::string(refusal_text(verdict)), "");
}

TEST(NotifyAccess, ASuccessorAndTheOneBeforeAreMainProcessesToo) {
  constexpr int32_t kSuccessor = 500;
  constexpr int32_t kFormer = 600;
  core::UnitRecord record = running();
  record.successor = {.attempt = {7}, .pid = kSuccessor};
  record.former = {.attempt = {6}, .pid = kFormer};
  for (const int32_t pid : {kMain, kSuccessor, kFormer})
    EXPECT_EQ(judge_sender(unit(NotifyAccess::main), record, sender(pid)), Verdict::admitted);
  EXPECT_EQ(attempt_of(record, sender(kSuccessor)), Attempt{7});
  EXPECT_EQ(attempt_of(record, sender(kFormer)), Attempt{6});
  EXPECT_EQ(attempt_of(record, sender(kMain)), Attempt{0});
  const Sender worker{.pid = kOther, .group = kSuccessor};
  EXPECT_EQ(attempt_of(record, worker), Attempt{7});
}

TEST(NotifyAccess, ASuccessorWhosePidIsUnderWayIsWaitedFor) {
  core::UnitRecord record = running();
  record.successor = {.attempt = {7}};
  EXPECT_EQ(judge_sender(unit(NotifyAccess::main), record, sender(kOther)), Verdict::too_early);
  EXPECT_EQ(judge_sender(unit(NotifyAccess::main), record, sender(kMain)), Verdict::admitted);
  EXPECT_EQ(attempt_of(record, sender(0)), Attempt{0});
}

constexpr uid_t kUser = 1000;

Sender user() {
  return {.pid = kMain, .uid = kUser, .trusted = true};
}

TEST(NotifyAccess, AProcessOfTheUnitMayBecomeItsMainOne) {
  const core::UnitRecord record = running();
  const Named alive{.pid = kOther, .alive = true};
  Named marked = alive;
  marked.marked = true;
  EXPECT_TRUE(may_be_main(record, user(), false, marked));
  Named in_group = alive;
  in_group.group = kMain;
  EXPECT_TRUE(may_be_main(record, user(), false, in_group));
  Named in_session = alive;
  in_session.session = kMain;
  EXPECT_TRUE(may_be_main(record, user(), false, in_session));
  EXPECT_TRUE(may_be_main(record, user(), false, {.pid = kMain}));
  EXPECT_FALSE(may_be_main(record, user(), false, alive)) << "it is root's";
  marked.alive = false;
  EXPECT_FALSE(may_be_main(record, user(), false, marked)) << "nothing is known of the dead";
}

TEST(NotifyAccess, WhatNothingTiesToAUnitHasToBeTheSenders) {
  const Named stranger{.pid = kOther, .alive = true, .uid = kUser};
  EXPECT_TRUE(may_be_main(running(), user(), false, stranger));
  Sender other = user();
  other.uid = kUser + 1;
  EXPECT_FALSE(may_be_main(running(), other, false, stranger));
  EXPECT_TRUE(may_be_main(running(), other, true, stranger));
}

TEST(NotifyAccess, NobodyMayNameAProcessOfAnotherUnit) {
  const Named anothers{.pid = kOther, .alive = true, .uid = kUser, .of_another = true};
  EXPECT_FALSE(may_be_main(running(), user(), false, anothers));
  EXPECT_FALSE(may_be_main(running(), user(), true, anothers));
}

}  // namespace
}  // namespace foster::manager
