// Work in a process of its own, and the settings that are kept by it.
#include <gtest/gtest.h>

#include <poll.h>
#include <unistd.h>

#include <csignal>
#include <filesystem>
#include <sys/socket.h>
#include <sys/wait.h>

#include "daemon/manager/background.hpp"
#include "daemon/manager/settings_store.hpp"

namespace foster::manager {
namespace {

class BackgroundTest : public testing::Test {
 protected:
  void SetUp() override {
    ASSERT_GE(sd_event_new(&loop_), 0);
    background_.emplace();
    background_->attach(loop_);
  }
  void TearDown() override {
    background_.reset();
    sd_event_unref(loop_);
  }

  /// Serves until that many pieces are done.
  void serve(size_t count) {
    while (told_.size() < count)
      ASSERT_GE(sd_event_run(loop_, UINT64_MAX), 0);
  }
  Background::Done tell() {
    return [this](const Result<UniqueFd>& outcome) {
      told_.push_back(outcome ? *text_of(outcome->get()) : "error: " + outcome.error().message);
    };
  }

  sd_event* loop_ = nullptr;
  std::optional<Background> background_;
  std::vector<std::string> told_;
};

using Told = std::vector<std::string>;

TEST_F(BackgroundTest, TellsWhatCameOfIt) {
  background_->run([]() -> Result<std::string> { return "well"; }, tell());
  EXPECT_TRUE(told_.empty());  // never while asking
  background_->run([]() -> Result<std::string> { return failure("fly", "no wings"); }, tell());
  serve(2);
  EXPECT_EQ(told_, (Told{"well", "error: cannot fly: no wings"}));
}

TEST_F(BackgroundTest, OneAfterTheOther) {
  int pipe_ends[2];
  ASSERT_EQ(pipe(pipe_ends), 0);
  const UniqueFd out(pipe_ends[0]);
  UniqueFd in(pipe_ends[1]);
  const auto wait_for_byte = [&]() -> Result<std::string> {
    char byte = 0;
    return read(out.get(), &byte, 1) == 1 ? std::string(1, byte) : "none";
  };
  background_->run(wait_for_byte, tell(), &out);
  background_->run([]() -> Result<std::string> { return "second"; }, tell());
  ASSERT_EQ(sd_event_run(loop_, 0), 0);  // the first works still, the second waits
  ASSERT_EQ(write(in.get(), "x", 1), 1);
  serve(2);
  EXPECT_EQ(told_, (Told{"x", "second"}));
}

TEST_F(BackgroundTest, HoldsNothingOfTheManagersOpen) {
  constexpr int kPatienceMs = 60'000;
  int go_ends[2];
  int held_ends[2];
  ASSERT_EQ(pipe(go_ends), 0);
  ASSERT_EQ(pipe(held_ends), 0);
  const UniqueFd go(go_ends[0]);
  UniqueFd say_go(go_ends[1]);
  const UniqueFd seen(held_ends[0]);
  UniqueFd held(held_ends[1]);
  const auto wait_for_byte = [&]() -> Result<std::string> {
    char byte = 0;
    return std::to_string(read(go.get(), &byte, 1));
  };
  background_->run(wait_for_byte, tell(), &go);
  held.reset();
  pollfd closed{seen.get(), POLLIN, 0};
  EXPECT_EQ(poll(&closed, 1, kPatienceMs), 1) << "it is open in the process that works";
  ASSERT_EQ(write(say_go.get(), "x", 1), 1);
  serve(1);
  EXPECT_EQ(told_, Told{"1"});
}

TEST_F(BackgroundTest, ADeathIsAnError) {
  background_->run(
      []() -> Result<std::string> {
        raise(SIGKILL);
        return "";
      },
      tell());
  serve(1);
  EXPECT_EQ(told_, Told{"error: cannot do it: the process that was to do it has died"});
}

TEST_F(BackgroundTest, LongTexts) {
  background_->run([]() -> Result<std::string> { return std::string(5'000'000, 'x'); }, tell());
  serve(1);
  EXPECT_EQ(told_[0].size(), 5'000'000u);
}

TEST_F(BackgroundTest, SettingsCountOnceTheyAreKept) {
  int ends[2];
  ASSERT_EQ(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, ends), 0);
  const UniqueFd keeper_end(ends[1]);
  KeeperClient keeper{UniqueFd(ends[0])};
  char folder[] = "/tmp/foster-settings-XXXXXX";
  ASSERT_NE(mkdtemp(folder), nullptr);
  const SettingsFile file(std::string(folder) + "/state");
  SettingsStore store(keeper, *background_, file, {});
  const auto done = [this](const Result<void>& outcome) {
    told_.push_back(outcome ? "done" : outcome.error().message);
  };
  store.change([](Settings& settings) { settings.units["a"].masked = true; }, done);
  EXPECT_FALSE(store.current().of("a").masked);
  serve(1);
  EXPECT_EQ(told_, Told{"done"});
  EXPECT_TRUE(store.current().of("a").masked);
  EXPECT_EQ(file.read().settings, store.current());
  store.ran("b", 7);
  store.turn_ended();
  store.ran("b", 8);
  store.turn_ended();
  store.change([](Settings& settings) { settings.instances["c"] = 3; }, done);
  serve(2);
  EXPECT_EQ(file.read().settings, store.current());
  EXPECT_EQ(store.current().last_runs_us.at("b"), 8);
  // What is still being written is not to come after the removal.
  background_.reset();
  while (waitpid(-1, nullptr, 0) > 0) {
  }
  std::filesystem::remove_all(folder);
}

TEST_F(BackgroundTest, SettingsThatCannotBeKeptDoNotCount) {
  int ends[2];
  ASSERT_EQ(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, ends), 0);
  const UniqueFd keeper_end(ends[1]);
  KeeperClient keeper{UniqueFd(ends[0])};
  SettingsStore store(keeper, *background_, SettingsFile("/dev/null/state"), {});
  store.change([](Settings& settings) { settings.units["a"].masked = true; },
               [this](const Result<void>& outcome) {
                 told_.push_back(outcome ? "done" : outcome.error().message);
               });
  serve(1);
  EXPECT_EQ(told_, Told{"cannot keep the settings: cannot make /dev/null/state: Not a directory"});
  EXPECT_EQ(store.current(), Settings{});
}

}  // namespace
}  // namespace foster::manager
