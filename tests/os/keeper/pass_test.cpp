// What a service is given beside its plan: descriptors at their numbers, and its own pid.
#include <fcntl.h>
#include <sys/mman.h>

#include <algorithm>
#include <cerrno>

#include "tests/os/keeper/rig.hpp"

namespace foster::keeper_test {
namespace {

using protocol::Step;
using protocol::Type;
using Lines = std::vector<std::string>;

/// A descriptor from which `text` can be read, and then nothing more.
UniqueFd text_in_pipe(const std::string& text) {
  int ends[2];
  EXPECT_EQ(pipe2(ends, O_CLOEXEC | O_NONBLOCK), 0);
  const UniqueFd in(ends[1]);
  EXPECT_EQ(write(in.get(), text.data(), text.size()), static_cast<ssize_t>(text.size()));
  return UniqueFd(ends[0]);
}

/// Descriptors for these numbers, each with its number in it.
struct Passed {
  std::vector<UniqueFd> owned;
  explicit Passed(Plan& plan, const std::vector<int>& numbers) {
    for (const int number : numbers) {
      owned.push_back(text_in_pipe(std::to_string(number)));
      plan.numbers.push_back(number);
      plan.fds.push_back(owned.back().get());
    }
  }
};

Lines expected_contents(std::vector<int> numbers) {
  Lines lines;
  for (const int number : numbers)
    lines.push_back(std::to_string(number) + ": " + std::to_string(number));
  std::ranges::sort(lines);
  return lines;
}

protocol::SpawnFailed failure_of(Manager& manager, const Plan& plan) {
  manager.spawn(plan);
  return manager.expect_body<protocol::SpawnFailed>(Type::spawn_failed);
}

TEST(Pass, DescriptorsComeToTheirNumbersWhateverStandsThere) {
  // The keeper's own numbers are among these, in another order, and that of the report pipe, too.
  for (const int step : {1, -1}) {
    Rig rig;
    auto manager = rig.serving_manager();
    std::vector<int> numbers;
    for (int number = 3; number < 3 + 200; ++number)
      numbers.push_back(step > 0 ? number : 205 - number);
    Plan plan = probe(1, {"contents"});
    const Passed passed(plan, numbers);
    manager->spawn(plan);
    manager->expect(Type::spawned);
    EXPECT_EQ(rig.lines(), expected_contents(numbers));
  }
}

TEST(Pass, NothingElseReachesTheService) {
  Rig rig;
  auto manager = rig.serving_manager();
  const auto before = rig.keeper_descriptors();
  Plan plan = probe(1, {"descriptors"});
  const Passed passed(plan, {9, 3});
  manager->spawn(plan);
  manager->expect(Type::spawned);
  EXPECT_EQ(rig.lines(), (Lines{"0", "1", "2", "3", "9"}));
  manager->expect(Type::exited);
  EXPECT_EQ(rig.keeper_descriptors(), before) << "the keeper has kept none of them";
  manager->spawn(probe(2, {"descriptors"}));
  manager->expect(Type::spawned);
  EXPECT_EQ(rig.lines(), (Lines{"0", "1", "2"}));
}

TEST(Pass, StandardDescriptorsCanBePassed) {
  Rig rig;
  auto manager = rig.serving_manager();
  int ends[2];
  ASSERT_EQ(pipe2(ends, O_CLOEXEC), 0);
  const UniqueFd out(ends[0]);
  UniqueFd in(ends[1]);
  Plan plan = probe(1, {"exit"});
  plan.argv = {"/bin/sh", "-c", "read word; echo $word; echo $word >&2"};
  const UniqueFd input = text_in_pipe("hello\n");
  plan.numbers = {0, 2, 1};
  plan.fds = {input.get(), in.get(), in.get()};
  manager->spawn(plan);
  manager->expect(Type::spawned);
  manager->expect(Type::exited);
  in.reset();
  std::string text;
  char bytes[64];
  for (ssize_t size; (size = read(out.get(), bytes, sizeof bytes)) > 0;)
    text.append(bytes, static_cast<size_t>(size));
  EXPECT_EQ(text, "hello\nhello\n") << "and its end came with the service's: nobody else has it";
}

TEST(Pass, AFailureComesBackThroughTheReportPipeAllTheSame) {
  Rig rig;
  auto manager = rig.serving_manager();
  Plan plan = probe(1, {"contents"});
  plan.program = "/no/such/program";
  std::vector<int> numbers;
  for (int number = 3; number < 100; ++number)
    numbers.push_back(number);
  const Passed passed(plan, numbers);
  const auto failed = failure_of(*manager, plan);
  EXPECT_EQ(failed.step, Step::execute);
  EXPECT_EQ(failed.error, ENOENT);
}

TEST(Pass, NumbersThatCannotBeAreRefused) {
  Rig rig;
  auto manager = rig.serving_manager();
  const auto before = rig.keeper_descriptors();
  const UniqueFd fd = text_in_pipe("x");
  Plan plan = probe(1, {"contents"});
  const auto refused = [&](std::vector<int32_t> numbers, size_t fds) {
    plan.numbers = std::move(numbers);
    plan.fds.assign(fds, fd.get());
    const auto failed = failure_of(*manager, plan);
    EXPECT_EQ(failed.attempt, plan.attempt++);
    return std::pair(failed.step, failed.error);
  };
  EXPECT_EQ(refused({3, 4}, 1), std::pair(Step::descriptors, EBADF));
  EXPECT_EQ(refused({3}, 2), std::pair(Step::descriptors, EBADF));
  EXPECT_EQ(refused({}, 1), std::pair(Step::descriptors, EBADF));
  EXPECT_EQ(refused({3}, 0), std::pair(Step::descriptors, EBADF));
  EXPECT_EQ(refused({3, 3}, 2), std::pair(Step::plan, EINVAL));
  EXPECT_EQ(refused({-1}, 1), std::pair(Step::plan, EINVAL));
  EXPECT_EQ(refused({INT32_MAX}, 1).first, Step::descriptors);
  EXPECT_EQ(rig.keeper_descriptors(), before);
}

TEST(Pass, AKeeperThatMayOpenNoMoreSaysSo) {
  Rig rig({.in_child = [] {
    const rlimit few{40, 40};
    setrlimit(RLIMIT_NOFILE, &few);
  }});
  auto manager = rig.serving_manager();
  const auto before = rig.keeper_descriptors();
  std::vector<int> numbers;
  for (int number = 3; number < 103; ++number)
    numbers.push_back(number);
  Plan plan = probe(1, {"contents"});
  const Passed passed(plan, numbers);
  const auto failed = failure_of(*manager, plan);
  EXPECT_EQ(failed.step, Step::descriptors);
  EXPECT_EQ(failed.error, EMFILE);
  EXPECT_EQ(rig.keeper_descriptors(), before);
  Plan few = probe(2, {"contents"});
  const Passed three(few, {3, 4, 5});
  manager->spawn(few);
  manager->expect(Type::spawned);
  EXPECT_EQ(rig.lines(), expected_contents({3, 4, 5}));
}

TEST(Pass, ALargePlansDescriptorsComeBesideItsMemfd) {
  Rig rig;
  auto manager = rig.serving_manager();
  Plan plan = probe(1, {"contents"});
  plan.envp = {"LARGE=" + std::string(100'000, 'x')};
  const Passed passed(plan, {5, 3});
  const std::string bytes = plan.encoded();
  const UniqueFd memory(memfd_create("plan", MFD_CLOEXEC));
  ASSERT_EQ(write(memory.get(), bytes.data(), bytes.size()), static_cast<ssize_t>(bytes.size()));
  const protocol::SpawnInMemfd order{1};
  const int fds[] = {memory.get(), plan.fds[0], plan.fds[1]};
  manager->send_bytes(Type::spawn_in_memfd, {reinterpret_cast<const char*>(&order), sizeof order},
                      fds);
  manager->expect(Type::spawned);
  EXPECT_EQ(rig.lines(), expected_contents({5, 3}));
}

TEST(Pass, AServiceIsToldItsOwnPid) {
  Rig rig;
  auto manager = rig.serving_manager();
  Plan plan = probe(1, {"pids"});
  plan.envp = {"A=0000000000",          "WATCHDOG_PID=0000000000",
               "LISTEN_PID=0000000000", "LISTEN_PIDS=0000000000",
               "WATCHDOG_PID_=1",       "W=",
               "LISTEN_FDS=2"};
  manager->spawn(plan);
  manager->expect(Type::spawned);
  const std::string pid = std::to_string(pid_in(rig.line()));
  Lines expected{"A=0000000000",      "WATCHDOG_PID=" + pid,
                 "LISTEN_PID=" + pid, "LISTEN_PIDS=0000000000",
                 "WATCHDOG_PID_=1",   "W=",
                 "LISTEN_FDS=2"};
  std::ranges::sort(expected);
  EXPECT_EQ(rig.lines(), expected);
  manager->expect(Type::exited);
  plan.attempt = 2;
  plan.envp = {"WATCHDOG_PID=000000000", "LISTEN_PID=00000000000"};
  manager->spawn(plan);
  manager->expect(Type::spawned);
  rig.line();
  EXPECT_EQ(rig.lines(), (Lines{"LISTEN_PID=00000000000", "WATCHDOG_PID=000000000"}));
}

TEST(Pass, TheTagComesBack) {
  Rig rig;
  auto manager = rig.serving_manager();
  Plan plan = probe(1, {"stay"});
  plan.tag = 0x00020009;
  manager->spawn(plan);
  manager->expect(Type::spawned);
  manager->die();
  auto second = rig.manager();
  const auto told = second->take_handover();
  ASSERT_EQ(told.size(), 3U);
  EXPECT_EQ(told[1].as<protocol::Child>().tag, 0x00020009U);
}

}  // namespace
}  // namespace foster::keeper_test
