#include "daemon/manager/readiness.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fstream>

#include "tests/os/manager/rig.hpp"

namespace foster::manager {
namespace {

using core::ReadySeen;

class ReadyWatch : public Rig {
 protected:
  void make(ReadyKind kind, const std::string& target = "") {
    unit_.name = "web";
    ReadySpec& ready = unit_.ready.make();
    ready.kind = kind;
    ready.target = target;
    begin();
  }

  void begin() {
    core::UnitRecord record;
    record.goal = core::Goal::up;
    record.cause = core::Cause::boot;
    record.state = core::UnitState::starting;
    record.step = core::Step::ready;
    record.attempt = {7};
    record.pid = getpid();
    record.started = started_;
    if (beside_another_) put_beside_another(record);
    set_unit(unit_, record);
    watch_ = std::make_unique<Readiness>(*keeper_, core(), queue());
    std::vector<HandedDescriptor> found = kept();
    watch_->attach(loop_, found);
  }

  /// Attempt 7 is not the main process yet, but an overlap's successor.
  static void put_beside_another(core::UnitRecord& record) {
    record.state = core::UnitState::running;
    record.step = core::Step::overlap;
    record.was_up = true;
    record.ready = true;
    record.successor = {.role = core::Role::successor, .attempt = {7}, .pid = getpid()};
    record.attempt = {6};
    record.pid = getppid();
  }

  /// As a successor of a manager that has died.
  void take_over() {
    watch_.reset();
    events_.clear();
    begin();
    ASSERT_TRUE(watch_->resume({0}, core().record({0})));
    watch_->takeover_ended();
  }

  [[nodiscard]] bool seen() const { return !all<ReadySeen>().empty(); }
  void await() {
    run_until([this] { return seen(); });
    EXPECT_EQ(all<ReadySeen>().at(0).attempt, Attempt{7});
  }
  [[nodiscard]] std::string file(const char* name) const { return folder_.path + "/" + name; }
  static void write_file(const std::string& path) { std::ofstream(path) << "x"; }

  UnitSpec unit_;
  bool beside_another_ = false;
  Instant started_ = now_since_boot();
  std::unique_ptr<Readiness> watch_;
};

TEST_F(ReadyWatch, ANewlineOnTheDescriptor) {
  make(ReadyKind::descriptor);
  auto pipe = watch_->begin({0}, {7});
  ASSERT_TRUE(pipe && *pipe);
  ASSERT_EQ(write(pipe->get(), "starting", 8), 8);
  run_what_is_ready();
  EXPECT_FALSE(seen());
  ASSERT_EQ(write(pipe->get(), "ed\n", 3), 3);
  await();
  watch_->turn_ended();
  EXPECT_TRUE(kept().empty()) << "the keeper need not hold it any longer";
}

TEST_F(ReadyWatch, TheEndOfThePipeSaysNothing) {
  make(ReadyKind::descriptor);
  {
    auto pipe = watch_->begin({0}, {7});
    ASSERT_TRUE(pipe && *pipe);
    ASSERT_EQ(write(pipe->get(), "no", 2), 2);
  }
  run_what_is_ready();
  EXPECT_FALSE(seen());
  EXPECT_EQ(sd_event_run(loop_, 0), 0) << "nobody spins on it";
  watch_->forget({7});
  EXPECT_TRUE(kept().empty());
}

TEST_F(ReadyWatch, ASuccessorSeesWhatWasNotHandled) {
  make(ReadyKind::descriptor);
  auto pipe = watch_->begin({0}, {7});
  ASSERT_TRUE(pipe && *pipe);
  ASSERT_EQ(write(pipe->get(), "up\n", 3), 3);
  await();  // and the manager dies before the turn ends
  take_over();
  await();
}

TEST_F(ReadyWatch, ASuccessorGoesOnWaiting) {
  make(ReadyKind::output);
  auto pipe = watch_->begin({0}, {7});
  ASSERT_TRUE(pipe && *pipe);
  take_over();
  run_what_is_ready();
  EXPECT_FALSE(seen());
  ASSERT_EQ(write(pipe->get(), "\n", 1), 1);
  await();
}

TEST_F(ReadyWatch, ThePipeGoesWithTheMainProcess) {
  make(ReadyKind::descriptor);
  auto pipe = watch_->begin({0}, {6});
  ASSERT_TRUE(pipe && *pipe);
  watch_->moved({6}, {7});
  watch_->forget({6});
  ASSERT_EQ(kept().size(), 1u);
  EXPECT_EQ(kept()[0].name, "ready:7");
  ASSERT_EQ(write(pipe->get(), "\n", 1), 1);
  await();
  watch_->turn_ended();
  EXPECT_TRUE(kept().empty());
}

TEST_F(ReadyWatch, AFileThatAppears) {
  make(ReadyKind::file, file("ready"));
  ASSERT_TRUE(watch_->begin({0}, {7}));
  write_file(file("other"));
  run_what_is_ready();
  EXPECT_FALSE(seen());
  write_file(file("ready"));
  await();
}

TEST_F(ReadyWatch, AFileInAFolderThatIsNotThereYet) {
  make(ReadyKind::file, file("a/b/ready"));
  ASSERT_TRUE(watch_->begin({0}, {7}));
  ASSERT_EQ(mkdir(file("a").c_str(), 0700), 0);
  run_what_is_ready();
  ASSERT_EQ(mkdir(file("a/b").c_str(), 0700), 0);
  run_what_is_ready();
  EXPECT_FALSE(seen());
  write_file(file("a/b/ready"));
  await();
}

TEST_F(ReadyWatch, AWholeTreeAtOnce) {
  make(ReadyKind::file, file("a/b/ready"));
  ASSERT_TRUE(watch_->begin({0}, {7}));
  ASSERT_EQ(mkdir(file("a").c_str(), 0700), 0);
  ASSERT_EQ(mkdir(file("a/b").c_str(), 0700), 0);
  write_file(file("a/b/ready"));
  await();
}

TEST_F(ReadyWatch, AFolderThatIsRemovedAndMadeAgain) {
  ASSERT_EQ(mkdir(file("a").c_str(), 0700), 0);
  make(ReadyKind::file, file("a/ready"));
  ASSERT_TRUE(watch_->begin({0}, {7}));
  ASSERT_EQ(rmdir(file("a").c_str()), 0);
  run_what_is_ready();
  ASSERT_EQ(mkdir(file("a").c_str(), 0700), 0);
  run_what_is_ready();
  EXPECT_FALSE(seen());
  write_file(file("a/ready"));
  await();
}

TEST_F(ReadyWatch, AFileWhereAFolderShouldBe) {
  write_file(file("a"));
  make(ReadyKind::file, file("a/ready"));
  ASSERT_TRUE(watch_->begin({0}, {7}));
  ASSERT_EQ(unlink(file("a").c_str()), 0);
  ASSERT_EQ(mkdir(file("a").c_str(), 0700), 0);
  write_file(file("a/ready"));
  await();
}

TEST_F(ReadyWatch, AFileThatIsThereAlreadyDoesNotCountUntilItIsTouched) {
  write_file(file("ready"));
  make(ReadyKind::file, file("ready"));
  ASSERT_TRUE(watch_->begin({0}, {7}));
  run_what_is_ready();
  EXPECT_FALSE(seen());
  ASSERT_EQ(utimensat(AT_FDCWD, file("ready").c_str(), nullptr, 0), 0);
  await();
}

TEST_F(ReadyWatch, AFileThatIsMovedThere) {
  make(ReadyKind::file, file("ready"));
  ASSERT_TRUE(watch_->begin({0}, {7}));
  write_file(file("part"));
  ASSERT_EQ(rename(file("part").c_str(), file("ready").c_str()), 0);
  await();
}

TEST_F(ReadyWatch, ASuccessorSeesAFileThatCameMeanwhile) {
  make(ReadyKind::file, file("ready"));
  ASSERT_TRUE(watch_->begin({0}, {7}));
  watch_.reset();
  write_file(file("ready"));
  take_over();
  await();
}

TEST_F(ReadyWatch, ASuccessorDoesNotTakeAnOldFileForANewOne) {
  write_file(file("ready"));
  started_ = now_since_boot() + std::chrono::seconds(10);  // as if the file were that old
  make(ReadyKind::file, file("ready"));
  take_over();
  run_what_is_ready();
  EXPECT_FALSE(seen());
  ASSERT_EQ(utimensat(AT_FDCWD, file("ready").c_str(), nullptr, 0), 0);
  await();
}

TEST_F(ReadyWatch, AnOverlapsSuccessorIsWaitedForAcrossManagers) {
  beside_another_ = true;
  make(ReadyKind::descriptor);
  auto pipe = watch_->begin({0}, {7});
  ASSERT_TRUE(pipe && *pipe);
  take_over();
  run_what_is_ready();
  EXPECT_FALSE(seen());
  ASSERT_EQ(write(pipe->get(), "\n", 1), 1);
  await();
}

TEST_F(ReadyWatch, AnOverlapsSuccessorMayHaveMadeItsFileMeanwhile) {
  beside_another_ = true;
  make(ReadyKind::file, file("ready"));
  ASSERT_TRUE(watch_->begin({0}, {7}));
  watch_.reset();
  write_file(file("ready"));
  take_over();
  await();
}

TEST_F(ReadyWatch, OtherKindsNeedNothingOfThis) {
  make(ReadyKind::tcp, "localhost:80");
  const auto pipe = watch_->begin({0}, {7});
  ASSERT_TRUE(pipe);
  EXPECT_FALSE(*pipe);
  EXPECT_TRUE(kept().empty());
}

}  // namespace
}  // namespace foster::manager
