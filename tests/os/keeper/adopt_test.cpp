// Daemons that leave their starter: taken over as main processes, and told of like any other.

#include <algorithm>
#include <cerrno>

#include "tests/os/keeper/rig.hpp"

namespace foster::keeper_test {
namespace {

using protocol::KillScope;
using protocol::Type;

/// A forking command that has ended, attempt 1, and the daemon that it left.
pid_t leave_daemon(Rig& rig, Manager& manager, const std::string& mode, uint32_t group_remains) {
  manager.spawn(probe(1, {mode}));
  manager.expect(Type::spawned);
  const auto exited = manager.expect_body<protocol::Exited>(Type::exited);
  EXPECT_EQ(exited.wait_status, 0);
  EXPECT_EQ(exited.group_remains, group_remains);
  return pid_in(rig.line());
}

void adopt(Manager& manager, uint64_t attempt, pid_t pid, uint32_t tag = 0) {
  manager.send(Type::adopt, protocol::Adopt{attempt, 1, pid, tag});
}

int refusal(Manager& manager, const protocol::Adopt& order) {
  manager.send(Type::adopt, order);
  const auto failed = manager.expect_body<protocol::AdoptFailed>(Type::adopt_failed);
  EXPECT_EQ(failed.attempt, order.attempt);
  return failed.error;
}

TEST(Adopt, ADaemonBecomesTheMainProcess) {
  Rig rig;
  auto manager = rig.serving_manager();
  const pid_t daemon = leave_daemon(rig, *manager, "daemon", 0);
  adopt(*manager, 2, daemon);
  const auto spawned = manager->expect_body<protocol::Spawned>(Type::spawned);
  EXPECT_EQ(spawned.attempt, 2U);
  EXPECT_EQ(spawned.pid, daemon);
  EXPECT_GT(spawned.at_boot_ns, 0);
  manager->acknowledge(1);
  manager->kill(2, SIGTERM, KillScope::main);
  const auto exited = manager->expect_body<protocol::Exited>(Type::exited);
  EXPECT_EQ(exited.attempt, 2U);
  EXPECT_EQ(exited.pid, daemon);
  EXPECT_EQ(exited.wait_status, SIGTERM);
  EXPECT_EQ(exited.group_remains, 0U);
  EXPECT_GT(exited.max_rss_kib, 0U);
  EXPECT_FALSE(alive(daemon)) << "it has been reaped";
}

TEST(Adopt, ItsGroupIsTheAttempts) {
  Rig rig;
  auto manager = rig.serving_manager();
  const pid_t daemon = leave_daemon(rig, *manager, "daemon-with-another", 0);
  adopt(*manager, 2, daemon);
  manager->expect(Type::spawned);
  manager->kill(2, SIGKILL, KillScope::main);
  EXPECT_EQ(manager->expect_body<protocol::Exited>(Type::exited).group_remains, 1U);
  manager->kill(2, SIGKILL, KillScope::group);
  EXPECT_EQ(manager->expect_body<protocol::GroupEmptied>(Type::group_emptied).attempt, 2U);
}

TEST(Adopt, AGroupThatItMakesLaterIsTheAttemptsToo) {
  for (const KillScope scope : {KillScope::main, KillScope::group}) {
    Rig rig;
    auto manager = rig.serving_manager();
    const pid_t daemon = leave_daemon(rig, *manager, "daemon-late", 1);
    adopt(*manager, 2, daemon);
    manager->expect(Type::spawned);
    manager->acknowledge(1, true);
    ::kill(daemon, SIGUSR2);
    const pid_t other = pid_in(rig.line());
    manager->kill(2, SIGKILL, scope);
    const auto exited = manager->expect_body<protocol::Exited>(Type::exited);
    EXPECT_EQ(exited.attempt, 2U);
    if (scope == KillScope::main) {
      EXPECT_EQ(exited.group_remains, 1U);
      EXPECT_TRUE(alive(other));
      manager->kill(2, SIGKILL, KillScope::group);
    }
    if (exited.group_remains != 0) manager->expect(Type::group_emptied);
    EXPECT_TRUE(ends(other));
  }
}

TEST(Adopt, WhatSharesItsStartersGroupLeavesThatWithItsEnd) {
  Rig rig;
  auto manager = rig.serving_manager();
  const pid_t daemon = leave_daemon(rig, *manager, "daemon-in-group", 1);
  adopt(*manager, 2, daemon);
  manager->expect(Type::spawned);
  manager->kill(2, SIGTERM, KillScope::group);
  // Two attempts with one group: in whichever order, each is told once.
  std::vector<std::pair<Type, uint64_t>> told;
  for (int i = 0; i < 2; ++i) {
    const Message news = manager->next();
    uint64_t attempt = 0;
    std::memcpy(&attempt, news.body.data(), sizeof attempt);
    told.emplace_back(news.type, attempt);
  }
  std::ranges::sort(told);
  EXPECT_EQ(told[0], std::make_pair(Type::exited, uint64_t{2}));
  EXPECT_EQ(told[1], std::make_pair(Type::group_emptied, uint64_t{1}));
  EXPECT_TRUE(manager->silent());
}

TEST(Adopt, TheStartersGroupCanBeGivenUp) {
  Rig rig;
  auto manager = rig.serving_manager();
  const pid_t daemon = leave_daemon(rig, *manager, "daemon-in-group", 1);
  adopt(*manager, 2, daemon);
  manager->expect(Type::spawned);
  manager->acknowledge(1, true);
  manager->kill(2, SIGTERM, KillScope::group);
  const auto exited = manager->expect_body<protocol::Exited>(Type::exited);
  EXPECT_EQ(exited.attempt, 2U);
  EXPECT_EQ(exited.group_remains, 0U);
  EXPECT_TRUE(manager->silent());
}

TEST(Adopt, OneThatHasJustEndedIsToldWithItsEnd) {
  Rig rig;
  auto manager = rig.serving_manager();
  manager->spawn(probe(1, {"daemon", "3"}));
  const pid_t daemon = pid_in(rig.line());
  manager->expect(Type::spawned);
  manager->expect(Type::exited);
  EXPECT_TRUE(ends(daemon));
  // The keeper answers in order: with this the orphan has been reaped, or is about to be.
  manager->spawn(probe(2, {"exit"}));
  manager->expect(Type::spawned);
  manager->expect(Type::exited);
  adopt(*manager, 3, daemon);
  EXPECT_EQ(manager->expect_body<protocol::Spawned>(Type::spawned).pid, daemon);
  const auto exited = manager->expect_body<protocol::Exited>(Type::exited);
  EXPECT_EQ(exited.attempt, 3U);
  EXPECT_EQ(exited.wait_status, 3 << 8);
  EXPECT_EQ(exited.group_remains, 0U);
  // It has died for one attempt, and not for a second.
  EXPECT_EQ(refusal(*manager, {4, 1, daemon, 0}), ECHILD);
}

TEST(Adopt, OnlyChildrenThatAreNobodysAreTaken) {
  Rig rig;
  auto manager = rig.serving_manager();
  manager->spawn(probe(1, {"stay"}));
  const pid_t service = manager->expect_body<protocol::Spawned>(Type::spawned).pid;
  EXPECT_EQ(refusal(*manager, {2, 1, getpid(), 0}), ECHILD);
  EXPECT_EQ(refusal(*manager, {3, 1, service, 0}), EEXIST);
  EXPECT_EQ(refusal(*manager, {4, 1, manager->pid(), 0}), EEXIST);
  EXPECT_EQ(refusal(*manager, {5, 1, rig.keeper(), 0}), ECHILD);
  for (const pid_t nobody : {0, 1, -1, -service, INT32_MIN})
    EXPECT_EQ(refusal(*manager, {static_cast<uint64_t>(7 - nobody % 1000), 1, nobody, 0}), EINVAL);
  EXPECT_EQ(refusal(*manager, {10'000, 9'999, service, 0}), EINVAL) << "from an unknown attempt";
  EXPECT_TRUE(alive(service));
  // Nothing is left of them.
  manager->kill(2, SIGTERM);
  EXPECT_TRUE(rig.logged("signal for an unknown attempt dropped attempt=2"));
}

TEST(Adopt, ASuccessorIsToldOfIt) {
  Rig rig;
  auto manager = rig.serving_manager();
  const pid_t daemon = leave_daemon(rig, *manager, "daemon", 0);
  adopt(*manager, 2, daemon, 77);
  manager->expect(Type::spawned);
  manager->acknowledge(1);
  manager->die();
  auto second = rig.manager();
  const auto told = second->take_handover();
  ASSERT_EQ(told.size(), 3U);
  const auto child = told[1].as<protocol::Child>();
  EXPECT_EQ(child.attempt, 2U);
  EXPECT_EQ(child.pid, daemon);
  EXPECT_EQ(child.phase, protocol::ChildPhase::running);
  EXPECT_EQ(child.tag, 77U);
  EXPECT_STREQ(child.unit, "unit");
  EXPECT_EQ(second->expect_body<protocol::Spawned>(Type::spawned).attempt, 2U);
  second->kill(2, SIGTERM);
  EXPECT_EQ(second->expect_body<protocol::Exited>(Type::exited).attempt, 2U);
}

/// A refused attempt would look like one that has ended unseen.
TEST(Adopt, ASuccessorIsNotToldOfARefusal) {
  Rig rig;
  auto manager = rig.serving_manager();
  manager->spawn(probe(1, {"stay"}));
  manager->expect(Type::spawned);
  EXPECT_EQ(refusal(*manager, {2, 1, getpid(), 0}), ECHILD);
  rig.signal(SIGSTOP);
  adopt(*manager, 3, getpid());  // refused when there is nobody to tell it to
  manager->die();
  EXPECT_TRUE(ends(manager->pid()));
  rig.signal(SIGCONT);
  auto second = rig.manager();
  const auto told = second->take_handover();
  ASSERT_EQ(told.size(), 3U);
  EXPECT_EQ(told[0].as<protocol::HandoverBegin>().last_attempt, 3U);
  EXPECT_EQ(told[1].as<protocol::Child>().attempt, 1U);
  EXPECT_EQ(second->expect_body<protocol::Spawned>(Type::spawned).attempt, 1U);
  EXPECT_TRUE(second->silent());
}

TEST(Adopt, TheLastStopEndsItToo) {
  Rig rig;
  auto manager = rig.serving_manager();
  const pid_t daemon = leave_daemon(rig, *manager, "daemon", 0);
  adopt(*manager, 2, daemon);
  manager->expect(Type::spawned);
  manager->send(Type::finish, protocol::Finish{0});
  manager->exit(0);
  EXPECT_EQ(rig.end_status(), 0);
  EXPECT_FALSE(alive(daemon));
}

}  // namespace
}  // namespace foster::keeper_test
