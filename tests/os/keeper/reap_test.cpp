// Ends: each one told once, with what the kernel knows of it, and no zombie left.
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <set>

#include "tests/os/keeper/rig.hpp"

namespace foster::keeper_test {
namespace {

using protocol::KillScope;
using protocol::Type;

protocol::Exited end_of(Manager& manager, const Plan& plan) {
  manager.spawn(plan);
  EXPECT_EQ(manager.expect_body<protocol::Spawned>(Type::spawned).attempt, plan.attempt);
  const auto exited = manager.expect_body<protocol::Exited>(Type::exited);
  EXPECT_EQ(exited.attempt, plan.attempt);
  EXPECT_EQ(exited.group_remains, 0U);
  return exited;
}

TEST(Reap, ExitCodesAndSignalsAreToldAsTheyAre) {
  Rig rig({.in_child = [] {
    const rlimit none{0, 0};
    setrlimit(RLIMIT_CORE, &none);
  }});
  auto manager = rig.serving_manager();
  for (const int code : {0, 1, 127, 255}) {
    const auto exited =
        end_of(*manager, probe(static_cast<uint64_t>(code) + 1, {"exit", std::to_string(code)}));
    EXPECT_TRUE(WIFEXITED(exited.wait_status));
    EXPECT_EQ(WEXITSTATUS(exited.wait_status), code);
  }
  const auto aborted = end_of(*manager, probe(1000, {"abort"}));
  EXPECT_TRUE(WIFSIGNALED(aborted.wait_status));
  EXPECT_EQ(WTERMSIG(aborted.wait_status), SIGABRT);
  EXPECT_FALSE(WCOREDUMP(aborted.wait_status));
}

/// Whether this machine writes a core into that folder is its own affair (core(5)).
bool dumps_core_in(const std::string& folder) {
  const pid_t child = fork();
  if (child == 0) {
    if (chdir(folder.c_str()) == 0) execl(PROBE_PATH, PROBE_PATH, "abort", nullptr);
    _exit(0);
  }
  int status = 0;
  waitpid(child, &status, 0);
  return WIFSIGNALED(status) && WCOREDUMP(status);
}

TEST(Reap, TheCoreFlagIsTold) {
  const rlimit much{RLIM_INFINITY, RLIM_INFINITY};
  if (setrlimit(RLIMIT_CORE, &much) != 0) GTEST_SKIP() << "this user may not dump core";
  Rig rig;
  auto manager = rig.serving_manager();
  Plan plan = probe(1, {"abort"});
  plan.directory = rig.folder();
  const auto aborted = end_of(*manager, plan);
  EXPECT_EQ(WCOREDUMP(aborted.wait_status) != 0, dumps_core_in(rig.folder()));
}

TEST(Reap, ResourcesAreTold) {
  Rig rig;
  auto manager = rig.serving_manager();
  const auto exited = end_of(*manager, probe(1, {"burn"}));
  EXPECT_GE(exited.user_us, 20'000U);
  EXPECT_LT(exited.user_us, 30'000'000U);
  EXPECT_GT(exited.max_rss_kib, 0U);
  EXPECT_GT(exited.at_boot_ns, 0);
}

TEST(Reap, TwoHundredAtOnceAreAllTold) {
  Rig rig;
  auto manager = rig.serving_manager();
  constexpr uint64_t kChildren = 200;
  manager->gather();
  for (uint64_t i = 1; i <= kChildren; ++i)
    manager->spawn(probe(i, {"stay-silent"}));
  manager->flush();
  std::vector<pid_t> pids;
  for (uint64_t i = 1; i <= kChildren; ++i)
    pids.push_back(manager->expect_body<protocol::Spawned>(Type::spawned).pid);
  // While the keeper stands still all of them die, and the kernel keeps a single SIGCHLD for them.
  rig.signal(SIGSTOP);
  for (const pid_t pid : pids)
    ::kill(pid, SIGKILL);
  for (const pid_t pid : pids)
    EXPECT_TRUE(ends(pid));
  rig.signal(SIGCONT);
  std::set<uint64_t> told;
  for (uint64_t i = 1; i <= kChildren; ++i) {
    const auto exited = manager->expect_body<protocol::Exited>(Type::exited);
    EXPECT_EQ(exited.wait_status, SIGKILL);
    EXPECT_TRUE(told.insert(exited.attempt).second) << exited.attempt << " was told twice";
  }
  for (const pid_t pid : pids)
    EXPECT_FALSE(alive(pid)) << "a zombie";
}

TEST(Reap, SpawnedIsToldBeforeExitedHoweverShortTheLife) {
  Rig rig;
  auto manager = rig.serving_manager();
  manager->gather();
  for (uint64_t i = 1; i <= 300; ++i)
    manager->spawn(probe(i, {"exit", "7"}));
  manager->flush();
  std::set<uint64_t> spawned;
  for (size_t ended = 0; ended < 300;) {
    const Message message = manager->next();
    ASSERT_NE(message.type, Type{});
    if (message.type == Type::spawned) {
      EXPECT_TRUE(spawned.insert(message.as<protocol::Spawned>().attempt).second);
    } else {
      ++ended;
      EXPECT_TRUE(spawned.contains(message.as<protocol::Exited>().attempt));
    }
  }
}

int zombies_of(pid_t parent) {
  const std::string command = "ps -o stat= --ppid " + std::to_string(parent) + " | grep -c Z";
  FILE* counted = popen(command.c_str(), "r");
  int count = -1;
  EXPECT_EQ(fscanf(counted, "%d", &count), 1);
  pclose(counted);
  return count;
}

void expect_orphans_reaped(Setting setting) {
  Rig rig(std::move(setting));
  auto manager = rig.serving_manager();
  manager->spawn(probe(1, {"leave-orphans", "50"}));
  manager->expect(Type::spawned);
  const auto exited = manager->expect_body<protocol::Exited>(Type::exited);
  EXPECT_EQ(exited.wait_status, 0);
  // A zombie is one of its group still: none is left once the group is told to be empty.
  if (exited.group_remains != 0) manager->expect(Type::group_emptied);
  EXPECT_EQ(zombies_of(rig.keeper()), 0);
  manager->send(Type::finish, protocol::Finish{0});
  manager->exit(0);
  EXPECT_EQ(rig.end_status(), 0);
}

TEST(Reap, OrphansAreReapedByTheSubreaper) {
  expect_orphans_reaped({});
}

TEST(Reap, OrphansAreReapedAsInit) {
  expect_orphans_reaped({.as_init = true});
}

TEST(Reap, AnOrphanDaemonComesToTheKeeperAndIsReaped) {
  for (const bool as_init : {false, true}) {
    Rig rig({.as_init = as_init});
    auto manager = rig.serving_manager();
    manager->spawn(probe(1, {"leave-daemon"}));
    manager->expect(Type::spawned);
    ASSERT_EQ(rig.line().substr(0, 7), "daemon ");
    manager->kill(1, SIGKILL);
    manager->expect(Type::exited);
    manager->send(Type::finish, protocol::Finish{3});
    manager->exit(0);
    // It has ended only when nobody is left: the sweep had to find the daemon.
    EXPECT_EQ(rig.end_status(), 3 << 8);
  }
}

struct LeftBehind {
  pid_t pid;
};

/// A main process that is gone and somebody of its group who is not.
LeftBehind leave_one(Rig& rig, Manager& manager) {
  manager.spawn(probe(1, {"leave-one"}));
  const auto spawned = manager.expect_body<protocol::Spawned>(Type::spawned);
  const pid_t left = pid_in(rig.line());
  manager.kill(1, SIGTERM, KillScope::main);
  const auto exited = manager.expect_body<protocol::Exited>(Type::exited);
  EXPECT_EQ(exited.pid, spawned.pid);
  EXPECT_EQ(exited.group_remains, 1U);
  EXPECT_TRUE(alive(left));
  return {left};
}

TEST(Group, WhatIsLeftOfItIsToldAndItsEndToo) {
  Rig rig;
  auto manager = rig.serving_manager();
  const LeftBehind left = leave_one(rig, *manager);
  EXPECT_TRUE(manager->silent());
  ::kill(left.pid, SIGKILL);
  EXPECT_EQ(manager->expect_body<protocol::GroupEmptied>(Type::group_emptied).attempt, 1U);
  EXPECT_FALSE(alive(left.pid));
}

TEST(Group, WhatIsLeftOfItCanBeKilled) {
  Rig rig;
  auto manager = rig.serving_manager();
  const LeftBehind left = leave_one(rig, *manager);
  manager->kill(1, SIGTERM, KillScope::main);
  const auto failed = manager->expect_body<protocol::KillFailed>(Type::kill_failed);
  EXPECT_EQ(failed.error, ESRCH) << "the main process's pid is nobody's to signal any more";
  EXPECT_TRUE(alive(left.pid));
  manager->kill(1, SIGTERM, KillScope::group);
  EXPECT_EQ(manager->expect_body<protocol::GroupEmptied>(Type::group_emptied).attempt, 1U);
  // Asked again, the answer is the same.
  manager->kill(1, SIGTERM, KillScope::group);
  EXPECT_EQ(manager->expect_body<protocol::GroupEmptied>(Type::group_emptied).attempt, 1U);
}

TEST(Group, ManyThatAreLeftAreEachToldInTime) {
  constexpr uint64_t kMany = 40;  // more than the keeper looks through for each dead orphan
  Rig rig;
  auto manager = rig.serving_manager();
  std::vector<pid_t> left;
  for (uint64_t attempt = 1; attempt <= kMany; ++attempt) {
    manager->spawn(probe(attempt, {"leave-one"}));
    manager->expect(Type::spawned);
    left.push_back(pid_in(rig.line()));
    manager->kill(attempt, SIGTERM, KillScope::main);
    EXPECT_EQ(manager->expect_body<protocol::Exited>(Type::exited).group_remains, 1U);
  }
  for (uint64_t attempt = kMany; attempt >= 1; --attempt) {
    ::kill(left[attempt - 1], SIGKILL);
    EXPECT_EQ(manager->expect_body<protocol::GroupEmptied>(Type::group_emptied).attempt, attempt);
  }
  EXPECT_TRUE(manager->silent());
}

TEST(Group, OneThatDiesWithItsMainProcessIsOneEnd) {
  Rig rig;
  auto manager = rig.serving_manager();
  manager->spawn(probe(1, {"leave-one"}));
  const auto spawned = manager->expect_body<protocol::Spawned>(Type::spawned);
  const pid_t other = pid_in(rig.line());
  rig.signal(SIGSTOP);
  ::kill(-spawned.pid, SIGKILL);
  EXPECT_TRUE(ends(spawned.pid));
  EXPECT_TRUE(ends(other));
  rig.signal(SIGCONT);
  EXPECT_EQ(manager->expect_body<protocol::Exited>(Type::exited).group_remains, 0U);
  manager->kill(1, SIGKILL);
  manager->expect(Type::group_emptied);
  EXPECT_TRUE(manager->silent());
}

TEST(Group, OneThatIsGivenUpIsForgotten) {
  Rig rig;
  auto manager = rig.serving_manager();
  leave_one(rig, *manager);
  manager->acknowledge(1);
  EXPECT_TRUE(rig.logged("acknowledgement of an attempt that is not over dropped attempt=1"));
  manager->send(Type::acknowledge, protocol::Acknowledge{1, 1, 0});
  manager->kill(1, SIGTERM);
  EXPECT_TRUE(rig.logged("signal for an unknown attempt dropped attempt=1"));
}

TEST(Kill, AStoppedServiceIsContinuedSoThatItCanEnd) {
  Rig rig;
  auto manager = rig.serving_manager();
  manager->spawn(probe(1, {"stay"}));
  EXPECT_EQ(rig.line(), "here");
  manager->kill(1, SIGSTOP);
  manager->send(Type::kill, protocol::Kill{1, SIGTERM, KillScope::group, 1, 0});
  manager->expect(Type::spawned);
  EXPECT_EQ(manager->expect_body<protocol::Exited>(Type::exited).wait_status, SIGTERM);
}

TEST(Kill, AnImpossibleSignalIsAnsweredWithItsError) {
  Rig rig;
  auto manager = rig.serving_manager();
  manager->spawn(probe(1, {"stay"}));
  manager->expect(Type::spawned);
  manager->kill(1, 99);
  const auto failed = manager->expect_body<protocol::KillFailed>(Type::kill_failed);
  EXPECT_EQ(failed.attempt, 1U);
  EXPECT_EQ(failed.signal, 99);
  EXPECT_EQ(failed.error, EINVAL);
}

}  // namespace
}  // namespace foster::keeper_test
