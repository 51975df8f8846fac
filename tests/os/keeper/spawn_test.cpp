// The child's straight line: what a service finds when it runs, and what is told when it does not.
#include <fcntl.h>
#include <filesystem>
#include <grp.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <fstream>

#include "tests/os/keeper/rig.hpp"

namespace foster::keeper_test {
namespace {

using protocol::Step;
using protocol::Type;
using Lines = std::vector<std::string>;

struct Failure {
  Step step;
  int error;
  bool operator==(const Failure&) const = default;
};

void PrintTo(const Failure& failure, std::ostream* out) {
  *out << protocol::step_text(failure.step) << ": " << strerrordesc_np(failure.error);
}

Failure failure_of(Manager& manager, const Plan& plan) {
  manager.spawn(plan);
  const auto failed = manager.expect_body<protocol::SpawnFailed>(Type::spawn_failed);
  EXPECT_EQ(failed.attempt, plan.attempt);
  return {failed.step, failed.error};
}

/// What a probe that says something and ends has said.
Lines said_by(Rig& rig, Manager& manager, const Plan& plan) {
  manager.spawn(plan);
  EXPECT_EQ(manager.expect_body<protocol::Spawned>(Type::spawned).attempt, plan.attempt);
  const auto exited = manager.expect_body<protocol::Exited>(Type::exited);
  EXPECT_EQ(exited.wait_status, 0);
  manager.acknowledge(plan.attempt);
  return rig.lines();
}

TEST(Spawn, TheEnvironmentIsThePlansAlone) {
  Rig rig({.environment = {"LEAK=of the keeper's"}});
  auto manager = rig.serving_manager();
  Plan plan = probe(1, {"environment"});
  EXPECT_EQ(said_by(rig, *manager, plan), Lines{});
  plan.attempt = 2;
  plan.envp = {"A=1", "B=two words", "C="};
  EXPECT_EQ(said_by(rig, *manager, plan), (Lines{"A=1", "B=two words", "C="}));
}

TEST(Spawn, OnlyStandardDescriptorsReachAService) {
  // Whatever the keeper inherits, has open and holds for others.
  Rig rig({.in_child = [] { fcntl(STDOUT_FILENO, F_DUPFD, 100); }});
  auto manager = rig.serving_manager();
  protocol::StoredDescriptor name{"kept"};
  manager->send(Type::store_descriptor, name, manager->channel());
  manager->spawn(probe(1, {"stay"}));
  EXPECT_EQ(rig.line(), "here");
  manager->expect(Type::spawned);
  EXPECT_EQ(said_by(rig, *manager, probe(2, {"descriptors"})), (Lines{"0", "1", "2"}));
}

TEST(Spawn, SignalsAreAsAProgramExpectsThem) {
  Rig rig({.in_child = [] {
    ::signal(SIGHUP, SIG_IGN);
    sigset_t all;
    sigfillset(&all);
    sigprocmask(SIG_SETMASK, &all, nullptr);
  }});
  auto manager = rig.serving_manager();
  EXPECT_EQ(said_by(rig, *manager, probe(1, {"signals"})),
            (Lines{"SigBlk:\t0000000000000000", "SigIgn:\t0000000000000000"}));
}

TEST(Spawn, AServiceFindsItsPlace) {
  Rig rig({.in_child = [] {
    const rlimit limit{321, 654};
    setrlimit(RLIMIT_NOFILE, &limit);
  }});
  auto manager = rig.serving_manager();
  Plan plan = probe(1, {"place"});
  plan.directory = "/usr";
  plan.umask = 027;
  const std::string ids = "uid=" + std::to_string(geteuid()) + " gid=" + std::to_string(getegid()) +
                          " groups=" + std::to_string(getgroups(0, nullptr));
  EXPECT_EQ(said_by(rig, *manager, plan),
            (Lines{"death_signal=9", "descriptors=321", "directory=/usr",
                   "leads_session=1 leads_group=1", "stdin_bytes=0", ids, "umask=027"}));
}

TEST(Spawn, IdsAreSetWithTheirGroupsAndKeepTheDeathSignal) {
  if (geteuid() != 0) GTEST_SKIP() << "setting ids needs root";
  Rig rig;
  auto manager = rig.serving_manager();
  Plan plan = probe(1, {"place"});
  // The build's own folder may be closed to others.
  plan.program = rig.folder() + "/probe";
  std::filesystem::copy_file(plan.argv.front(), plan.program);
  plan.flags = protocol::kSetIds;
  plan.uid = 1234;
  plan.gid = 2345;
  plan.groups = {1, 2, 3};
  const Lines said = said_by(rig, *manager, plan);
  EXPECT_NE(std::ranges::find(said, "uid=1234 gid=2345 groups=3"), said.end());
  EXPECT_NE(std::ranges::find(said, "death_signal=9"), said.end());
}

TEST(Spawn, AForegroundCommandKeepsItsInputAndItsSession) {
  int input[2];
  ASSERT_EQ(pipe2(input, O_CLOEXEC), 0);
  ASSERT_EQ(write(input[1], "x", 1), 1);
  const int read_end = input[0];
  Rig rig({.in_child = [read_end] { dup2(read_end, STDIN_FILENO); }});
  auto manager = rig.serving_manager();
  Plan plan = probe(1, {"place"});
  plan.flags = protocol::kForeground;
  const Lines said = said_by(rig, *manager, plan);
  EXPECT_NE(std::ranges::find(said, "leads_session=0 leads_group=1"), said.end());
  EXPECT_NE(std::ranges::find(said, "stdin_bytes=1"), said.end());
  close(input[0]);
  close(input[1]);
}

/// In a session whose terminal is standard input.
void sit_at(const std::string& terminal) {
  setsid();
  const int fd = open(terminal.c_str(), O_RDWR);
  if (fd < 0 || ioctl(fd, TIOCSCTTY, 0) != 0 || dup2(fd, STDIN_FILENO) < 0) _exit(94);
}

TEST(Spawn, AForegroundCommandHasTheTerminalWhileItLives) {
  const UniqueFd screen(posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC));
  ASSERT_EQ(grantpt(screen.get()), 0);
  ASSERT_EQ(unlockpt(screen.get()), 0);
  const std::string terminal = ptsname(screen.get());
  Rig rig({.in_child = [terminal] { sit_at(terminal); }});
  auto manager = rig.serving_manager();
  EXPECT_EQ(tcgetpgrp(screen.get()), rig.keeper());
  Plan plan = probe(1, {"stay"});
  plan.flags = protocol::kForeground;
  manager->spawn(plan);
  EXPECT_EQ(rig.line(), "here");
  const auto spawned = manager->expect_body<protocol::Spawned>(Type::spawned);
  EXPECT_EQ(tcgetpgrp(screen.get()), spawned.pid);
  // Control-C is the command's alone.
  ASSERT_EQ(write(screen.get(), "\x03", 1), 1);
  EXPECT_EQ(manager->expect_body<protocol::Exited>(Type::exited).wait_status, SIGINT);
  EXPECT_TRUE(manager->silent());
  EXPECT_EQ(tcgetpgrp(screen.get()), rig.keeper());
}

TEST(Spawn, AProgramThatCannotBeExecutedIsToldWithItsReason) {
  Rig rig;
  auto manager = rig.serving_manager();
  Plan plan = probe(1, {"stay"});
  plan.program = "/nonexistent/program";
  EXPECT_EQ(failure_of(*manager, plan), (Failure{Step::execute, ENOENT}));
  plan.attempt = 2;
  plan.program = "/etc/passwd";
  EXPECT_EQ(failure_of(*manager, plan), (Failure{Step::execute, EACCES}));
  plan.attempt = 3;
  plan.program = rig.folder() + "/no-program";
  std::ofstream(plan.program) << "no magic number";
  ASSERT_EQ(chmod(plan.program.c_str(), 0755), 0);
  EXPECT_EQ(failure_of(*manager, plan), (Failure{Step::execute, ENOEXEC}));
  EXPECT_TRUE(manager->silent()) << "a failed spawn is reaped without a word";
}

TEST(Spawn, AFolderThatCannotBeEnteredIsToldWithItsReason) {
  Rig rig;
  auto manager = rig.serving_manager();
  Plan plan = probe(1, {"stay"});
  plan.directory = "/nonexistent";
  EXPECT_EQ(failure_of(*manager, plan), (Failure{Step::working_directory, ENOENT}));
  if (geteuid() != 0) return;
  // Entered as the service's user, not as root.
  plan.attempt = 2;
  plan.directory = rig.folder() + "/closed";
  ASSERT_EQ(mkdir(plan.directory.c_str(), 0700), 0);
  plan.flags = protocol::kSetIds;
  plan.uid = plan.gid = 1234;
  EXPECT_EQ(failure_of(*manager, plan), (Failure{Step::working_directory, EACCES}));
}

TEST(Spawn, IdsThatMayNotBeSetAreToldWithTheirStep) {
  Rig rig({.in_child = [] {
    if (geteuid() == 0 && setresuid(1234, 1234, 1234) != 0) _exit(94);
  }});
  auto manager = rig.serving_manager();
  Plan plan = probe(1, {"stay"});
  plan.flags = protocol::kSetIds;
  EXPECT_EQ(failure_of(*manager, plan), (Failure{Step::groups, EPERM}));
}

/// A user namespace in which ids below 100 exist.
void map_few_ids() {
  int ready[2];
  int mapped[2];
  if (pipe(ready) != 0 || pipe(mapped) != 0) _exit(93);
  const pid_t parent = getpid();
  const pid_t helper = fork();
  char byte = 0;
  if (helper == 0) {
    if (read(ready[0], &byte, 1) != 1) _exit(1);
    for (const char* map : {"uid_map", "gid_map"})
      std::ofstream("/proc/" + std::to_string(parent) + "/" + map) << "0 0 100";
    _exit(0);
  }
  if (unshare(CLONE_NEWUSER) != 0 || write(ready[1], &byte, 1) != 1) _exit(92);
  waitpid(helper, nullptr, 0);
  for (const int fd : {ready[0], ready[1], mapped[0], mapped[1]})
    close(fd);
}

TEST(Spawn, AGroupOrUserThatIsNotMappedIsToldWithItsStep) {
  if (geteuid() != 0) GTEST_SKIP() << "mapping many ids needs root";
  Rig rig({.in_child = map_few_ids});
  auto manager = rig.serving_manager();
  Plan plan = probe(1, {"stay"});
  plan.flags = protocol::kSetIds;
  plan.uid = plan.gid = 5000;
  EXPECT_EQ(failure_of(*manager, plan), (Failure{Step::group_id, EINVAL}));
  plan.attempt = 2;
  plan.gid = 5;
  EXPECT_EQ(failure_of(*manager, plan), (Failure{Step::user_id, EINVAL}));
  plan.attempt = 3;
  plan.groups = {5000};
  EXPECT_EQ(failure_of(*manager, plan), (Failure{Step::groups, EINVAL}));
}

TEST(Spawn, AProcessThatCannotBeMadeIsToldAsFork) {
  if (geteuid() != 0) GTEST_SKIP() << "needs root, to become a user without other processes";
  Rig rig({.in_child = [] {
    // The keeper and its manager are all that this user may have.
    const rlimit limit{2, 2};
    setrlimit(RLIMIT_NPROC, &limit);
    if (setresuid(64321, 64321, 64321) != 0) _exit(94);
  }});
  auto manager = rig.serving_manager();
  EXPECT_EQ(failure_of(*manager, probe(1, {"stay"})), (Failure{Step::fork, EAGAIN}));
}

TEST(Spawn, ALargePlanTravelsInAMemfd) {
  Rig rig;
  auto manager = rig.serving_manager();
  Plan plan = probe(1, {"environment"});
  for (int i = 0; i < 40; ++i)
    plan.envp.push_back("V" + std::to_string(100 + i) + "=" + std::string(4000, 'x'));
  const std::string bytes = plan.encoded();
  const UniqueFd memory(memfd_create("plan", MFD_CLOEXEC));
  ASSERT_EQ(write(memory.get(), bytes.data(), bytes.size()), static_cast<ssize_t>(bytes.size()));
  manager->send(Type::spawn_in_memfd, protocol::SpawnInMemfd{1}, memory.get());
  manager->expect(Type::spawned);
  EXPECT_EQ(rig.lines(), plan.envp);
}

TEST(Spawn, APlanThatIsTooLargeForExecveIsToldAsSuch) {
  Rig rig;
  auto manager = rig.serving_manager();
  Plan plan = probe(1, {"environment"});
  plan.envp = {"V=" + std::string(200'000, 'x')};  // MAX_ARG_STRLEN is 128 KiB
  const std::string bytes = plan.encoded();
  const UniqueFd memory(memfd_create("plan", MFD_CLOEXEC));
  ASSERT_EQ(write(memory.get(), bytes.data(), bytes.size()), static_cast<ssize_t>(bytes.size()));
  manager->send(Type::spawn_in_memfd, protocol::SpawnInMemfd{1}, memory.get());
  const auto failed = manager->expect_body<protocol::SpawnFailed>(Type::spawn_failed);
  EXPECT_EQ((Failure{failed.step, failed.error}), (Failure{Step::execute, E2BIG}));
}

TEST(Spawn, AThousandSpawnsLeakNothingInTheKeeper) {
  Rig rig;
  auto manager = rig.serving_manager();
  manager->spawn(probe(1, {"exit"}));
  manager->expect(Type::spawned);
  manager->expect(Type::exited);
  const auto before = rig.keeper_descriptors();
  constexpr uint64_t kSpawns = 1000;
  manager->gather();
  for (uint64_t i = 0; i < kSpawns; ++i) {
    Plan plan = probe(100 + i, {"exit"});
    if (i % 3 == 0) plan.program = "/nonexistent";
    manager->spawn(plan);
  }
  manager->flush();
  uint64_t exited = 0;
  uint64_t failed = 0;
  while (exited + failed < kSpawns) {
    const Message message = manager->next();
    if (message.type == Type{}) break;
    exited += message.type == Type::exited;
    failed += message.type == Type::spawn_failed;
  }
  EXPECT_EQ(failed, 334U);
  EXPECT_EQ(exited, 666U);
  EXPECT_EQ(rig.keeper_descriptors(), before);
}

TEST(Spawn, ASignalRightAfterTheForkIsNotLost) {
  Rig rig;
  auto manager = rig.serving_manager();
  constexpr uint64_t kRounds = 300;
  for (uint64_t i = 1; i <= kRounds; ++i) {
    manager->gather();
    manager->spawn(probe(i, {"stay-silent"}));
    manager->kill(i, i % 2 == 0 ? SIGTERM : SIGKILL,
                  i % 3 == 0 ? protocol::KillScope::main : protocol::KillScope::group);
    manager->flush();
    EXPECT_EQ(manager->expect_body<protocol::Spawned>(Type::spawned).attempt, i);
    const auto exited = manager->expect_body<protocol::Exited>(Type::exited);
    ASSERT_EQ(exited.attempt, i);
    EXPECT_EQ(exited.wait_status, i % 2 == 0 ? SIGTERM : SIGKILL);
    manager->acknowledge(i);
  }
}

}  // namespace
}  // namespace foster::keeper_test
