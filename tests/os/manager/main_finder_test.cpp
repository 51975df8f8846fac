#include "daemon/manager/main_finder.hpp"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fstream>

#include "daemon/manager/kin_ender.hpp"
#include "daemon/manager/memory.hpp"
#include "tests/os/manager/rig.hpp"

namespace foster::manager {
namespace {

using core::MainFound;
using core::MainNotFound;

/// The test is the keeper: what its children leave behind becomes its own. The processes are real
/// programs with an environment that a test chooses.
class Finder : public Rig {
 protected:
  Finder() {
    prctl(PR_SET_CHILD_SUBREAPER, 1);
    unit_.name = "web";
    unit_.type = ServiceType::forking;
  }

  ~Finder() override {
    // What they leave behind when they are killed comes to the test as well.
    for (auto left = children_of(getpid()); !left.empty(); left = children_of(getpid())) {
      kill(left.front(), SIGKILL);
      waitpid(left.front(), nullptr, 0);
    }
  }

  void make() {
    core::UnitRecord record;
    record.goal = core::Goal::up;
    record.cause = core::Cause::boot;
    record.state = core::UnitState::starting;
    record.step = core::Step::find_main;
    record.attempt = {7};
    record.exit_attempt = {7};
    record.started = started_;
    set_unit(unit_, record);
    finder_ = std::make_unique<MainFinder>(
        core(), MainFinder::Surroundings{getpid(), "test", queue(), [this] { return known_; }});
    finder_->attach(loop_);
  }

  void find() { finder_->find({.unit = {0}, .attempt = {7}}); }

  /// cat, started by a script of sh with these variables. It has said something once it is asked,
  /// so it is no longer sh then, and ends with its input.
  struct Daemon {
    pid_t pid = 0;
    UniqueFd input;
    UniqueFd output;
  };

  static Daemon start(std::vector<std::string> environment, const std::string& script) {
    int input[2];
    int output[2];
    EXPECT_EQ(pipe2(input, O_CLOEXEC) | pipe2(output, O_CLOEXEC), 0);
    const pid_t child = fork();
    if (child == 0) {
      dup2(input[0], STDIN_FILENO);
      dup2(output[1], STDOUT_FILENO);
      std::vector<char*> envp{const_cast<char*>("PATH=/usr/bin:/bin")};
      for (std::string& variable : environment)
        envp.push_back(variable.data());
      envp.push_back(nullptr);
      execle("/bin/sh", "sh", "-c", script.c_str(), nullptr, envp.data());
      _exit(127);
    }
    close(input[0]);
    close(output[1]);
    return {child, UniqueFd(input[1]), UniqueFd(output[0])};
  }

  static void await_echo(int input, int output) {
    char byte = 'x';
    EXPECT_EQ(write(input, &byte, 1), 1);
    pollfd waiting{output, POLLIN, 0};
    EXPECT_EQ(poll(&waiting, 1, 60'000), 1);
    EXPECT_EQ(read(output, &byte, 1), 1);
  }

  pid_t daemon(const std::vector<std::string>& environment) {
    Daemon started = start(environment, "exec cat");
    await_echo(started.input.get(), started.output.get());
    daemons_.push_back(std::move(started));
    return daemons_.back().pid;
  }

  static std::vector<std::string> marked(int attempt) {
    return {"FOSTER_ATTEMPT=" + std::to_string(attempt), "FOSTER_INSTANCE=test"};
  }

  pid_t daemon_of(int attempt) { return daemon(marked(attempt)); }

  /// A shell with a cat for a child, which reads from a pipe of its own.
  struct Pair {
    Daemon parent;
    pid_t child = 0;
    UniqueFd child_input;
  };
  static Pair pair_of(int attempt) {
    int input[2];
    EXPECT_EQ(pipe(input), 0);
    const std::string number = std::to_string(input[0]);
    Pair made{start(marked(attempt), "cat <&" + number + " & read line; exit 0"), 0,
              UniqueFd(input[1])};
    close(input[0]);
    await_echo(input[1], made.parent.output.get());
    for (const int32_t child : children_of(made.parent.pid))
      if (process_facts(child)->name == "cat") made.child = child;
    return made;
  }

  void write_pid(pid_t pid) const { std::ofstream(unit_.pid_file) << pid << "\n"; }

  UnitSpec unit_;
  Instant started_ = now_since_boot();
  std::vector<int32_t> known_;
  std::vector<Daemon> daemons_;
  std::unique_ptr<MainFinder> finder_;
};

TEST_F(Finder, TheOnlyOneThatIsLeft) {
  make();
  const pid_t other = daemon_of(3);
  const pid_t pid = daemon_of(7);
  find();
  ASSERT_EQ(all<MainFound>().size(), 1u);
  EXPECT_EQ(all<MainFound>()[0].pid, pid);
  EXPECT_NE(pid, other);
}

TEST_F(Finder, OneThatHasWrittenOverItsEnvironmentIsKnownByItsAge) {
  const pid_t old = daemon({});
  known_ = {old};
  make();
  const pid_t pid = daemon({});
  find();
  ASSERT_EQ(all<MainFound>().size(), 1u);
  EXPECT_EQ(all<MainFound>()[0].pid, pid);
}

TEST_F(Finder, TheParentAmongSeveral) {
  make();
  daemon_of(7);
  const Pair pair = pair_of(7);
  find();
  ASSERT_EQ(all<MainFound>().size(), 1u);
  EXPECT_EQ(all<MainFound>()[0].pid, pair.parent.pid);
}

TEST_F(Finder, SeveralOfOneRankAreNoAnswer) {
  make();
  daemon_of(7);
  daemon_of(7);
  find();
  ASSERT_EQ(all<MainNotFound>().size(), 1u);
  EXPECT_EQ(all<MainNotFound>()[0].message,
            "its command has left 2 processes behind; pid-file can tell which is the main one");
}

TEST_F(Finder, NoneIsLeft) {
  make();
  find();
  ASSERT_EQ(all<MainNotFound>().size(), 1u);
  EXPECT_EQ(all<MainNotFound>()[0].message, "its command has left no process behind");
}

TEST_F(Finder, APidFileThatIsThere) {
  unit_.pid_file = folder_.path + "/pid";
  make();
  daemon_of(7);
  const pid_t pid = daemon_of(7);
  write_pid(pid);
  find();
  ASSERT_EQ(all<MainFound>().size(), 1u);
  EXPECT_EQ(all<MainFound>()[0].pid, pid);
}

TEST_F(Finder, APidFileThatComesLaterAndInPieces) {
  unit_.pid_file = folder_.path + "/run/pid";
  make();
  const pid_t pid = daemon_of(7);
  find();
  run_what_is_ready();
  ASSERT_EQ(mkdir((folder_.path + "/run").c_str(), 0700), 0);
  UniqueFd file(open(unit_.pid_file.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
  run_what_is_ready();
  EXPECT_TRUE(events_.empty());
  const std::string text = std::to_string(pid) + "\n";
  ASSERT_EQ(write(file.get(), text.data(), text.size()), static_cast<ssize_t>(text.size()));
  run_until([this] { return !events_.empty(); });  // though it is never closed
  ASSERT_EQ(all<MainFound>().size(), 1u);
  EXPECT_EQ(all<MainFound>()[0].pid, pid);
}

TEST_F(Finder, AStalePidFileIsNotBelieved) {
  unit_.pid_file = folder_.path + "/pid";
  const pid_t of_another = daemon_of(3);
  const pid_t pid = daemon_of(7);
  make();
  write_pid(of_another);
  find();
  write_pid(1);
  run_what_is_ready();
  write_pid(999'999'999);
  run_what_is_ready();
  EXPECT_TRUE(events_.empty());
  write_pid(pid);
  run_until([this] { return !events_.empty(); });
  EXPECT_EQ(all<MainFound>().at(0).pid, pid);
}

TEST_F(Finder, AProcessWithAParentOfItsOwnIsWaitedFor) {
  unit_.pid_file = folder_.path + "/pid";
  make();
  Pair pair = pair_of(7);
  ASSERT_GT(pair.child, 0);
  write_pid(pair.child);
  find();
  run_what_is_ready();
  EXPECT_TRUE(events_.empty());
  pair.parent.input.reset();
  run_until([this] { return !events_.empty(); });
  EXPECT_EQ(all<MainFound>().at(0).pid, pair.child);
}

TEST_F(Finder, ASearchThatIsForgottenSaysNothing) {
  unit_.pid_file = folder_.path + "/pid";
  make();
  const pid_t pid = daemon_of(7);
  find();
  finder_->forget({7});
  write_pid(pid);
  run_what_is_ready();
  EXPECT_TRUE(events_.empty());
}

TEST_F(Finder, WhatACommandHasLeftIsEndedWithWhatThatLeaves) {
  make();
  KinEnder ender(
      {getpid(), queue(), [this](UnitIndex unit, Attempt attempt, const ProcessFacts& process) {
         return finder_->is_kin(unit, attempt, process);
       }});
  ender.attach(loop_);
  const pid_t other = daemon_of(3);
  known_ = {daemon_of(7)};
  const pid_t alone = daemon_of(7);
  const Pair pair = pair_of(7);
  ender.end({.unit = {0}, .attempt = {7}, .signal = SIGTERM});
  EXPECT_TRUE(all<core::KinEnded>().empty());
  run_until([this] { return !all<core::KinEnded>().empty(); });
  for (const pid_t pid : {alone, pair.parent.pid, pair.child})
    EXPECT_FALSE(process_facts(pid)->alive());
  for (const pid_t pid : {other, known_.front()})
    EXPECT_TRUE(process_facts(pid)->alive());
  ender.end({.unit = {0}, .attempt = {7}, .signal = SIGTERM});
  EXPECT_EQ(all<core::KinEnded>().size(), 2u) << "nothing is left, which is told at once";
}

TEST_F(Finder, WhatDoesNotEndIsKilledWhenThatIsAsked) {
  make();
  KinEnder ender({getpid(), queue(), [](UnitIndex, Attempt, const ProcessFacts&) { return true; }});
  ender.attach(loop_);
  Daemon deaf = start(marked(7), "trap '' TERM; exec cat");
  await_echo(deaf.input.get(), deaf.output.get());
  ender.end({.unit = {0}, .attempt = {7}, .signal = SIGTERM});
  run_what_is_ready();
  EXPECT_TRUE(all<core::KinEnded>().empty());
  EXPECT_TRUE(process_facts(deaf.pid)->alive());
  ender.end({.unit = {0}, .attempt = {7}, .signal = SIGKILL});
  run_until([this] { return !all<core::KinEnded>().empty(); });
  EXPECT_FALSE(process_facts(deaf.pid)->alive());
}

TEST_F(Finder, MemoryIsThatOfTheGroup) {
  MemoryMeter meter(getpid(), [this] { return known_; });
  const pid_t alone = daemon({});
  known_ = {alone};
  const uint64_t one = meter.measure(alone);
  EXPECT_GT(one, 100'000u);
  EXPECT_LT(one, 50'000'000u);
  EXPECT_EQ(meter.measure(999'999'999), 0u);
}

TEST_F(Finder, MemoryOfChildrenCounts) {
  constexpr size_t kBytes = 32 * 1024 * 1024;
  int ready[2];
  ASSERT_EQ(pipe2(ready, O_CLOEXEC), 0);
  TestChild parent([&] {
    if (fork() == 0) {
      std::vector<char> filled(kBytes, 'x');
      if (write(ready[1], filled.data(), 1) != 1) _exit(1);
      pause();
    }
    pause();
  });
  char byte = 0;
  ASSERT_EQ(read(ready[0], &byte, 1), 1);
  MemoryMeter meter(getpid(), [&] { return std::vector<int32_t>{parent.pid()}; });
  EXPECT_GT(meter.measure(parent.pid()), kBytes);
  for (const int32_t child : children_of(parent.pid()))
    kill(child, SIGKILL);
  close(ready[0]);
  close(ready[1]);
}

}  // namespace
}  // namespace foster::manager
