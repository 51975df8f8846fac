// The semaphore by itself: what the writer holds, what the kernel gives back, what readers may do.
#include <csignal>
#include <sys/sem.h>

#include "common/region/guard.hpp"
#include "tests/os/region/fixture.hpp"

namespace foster::region {
namespace {

using Outcome = Guard::Outcome;

constexpr Duration kShort = std::chrono::milliseconds(20);
constexpr Duration kLong = std::chrono::milliseconds(kDeadlineMs);
constexpr uid_t kNobody = 65534;

class GuardTest : public testing::Test {
 protected:
  GuardTest() : guard_(Guard::create().value_or(Guard())) {}
  ~GuardTest() override { guard_.remove(); }

  Guard guard_;
};

TEST_F(GuardTest, IsHeldOnceAndAtRestAfterwards) {
  ASSERT_EQ(semaphore_value(guard_.id()), 0);
  ASSERT_EQ(guard_.acquire(kShort), Outcome::done);
  EXPECT_EQ(semaphore_value(guard_.id()), 1);
  EXPECT_EQ(guard_.wait_for_rest(kShort), Outcome::timed_out);
  EXPECT_EQ(guard_.acquire(kShort), Outcome::timed_out);
  EXPECT_EQ(semaphore_value(guard_.id()), 1) << "an acquire that failed left something behind";
  guard_.release();
  EXPECT_EQ(semaphore_value(guard_.id()), 0);
  EXPECT_EQ(guard_.wait_for_rest(kShort), Outcome::done);
}

TEST_F(GuardTest, ReleasingTwiceLeavesItAtRest) {
  ASSERT_EQ(guard_.acquire(kShort), Outcome::done);
  guard_.release();
  guard_.release();
  EXPECT_EQ(semaphore_value(guard_.id()), 0);
}

TEST_F(GuardTest, IsGivenBackByTheKernelWhenItsHolderIsKilled) {
  const SharedEvent held;
  Child holder([&] {
    if (guard_.acquire(kShort) != Outcome::done) return 1;
    held.notify();
    return pause();
  });
  ASSERT_TRUE(held.wait());
  const SharedEvent waiting;
  Child waiter([&] {
    waiting.notify();
    return guard_.wait_for_rest(kLong) == Outcome::done ? 0 : 1;
  });
  ASSERT_TRUE(waiting.wait());
  ASSERT_EQ(semaphore_value(guard_.id()), 1);
  holder.kill_hard();
  EXPECT_EQ(semaphore_value(guard_.id()), 0);
  EXPECT_EQ(waiter.join(), 0);
}

TEST_F(GuardTest, TellsThatItWasRemoved) {
  ASSERT_EQ(guard_.acquire(kShort), Outcome::done);
  const SharedEvent waiting;
  Child waiter([&] {
    waiting.notify();
    return guard_.wait_for_rest(kLong) == Outcome::removed ? 0 : 1;
  });
  ASSERT_TRUE(waiting.wait());
  guard_.remove();
  EXPECT_EQ(waiter.join(), 0);
  EXPECT_EQ(guard_.acquire(kShort), Outcome::removed);
  EXPECT_EQ(guard_.wait_for_rest(kShort), Outcome::removed);
  EXPECT_FALSE(guard_.is_ours());
}

// semop(2) is never restarted after a signal handler ran, whatever SA_RESTART says.
TEST_F(GuardTest, WaitsOnAfterASignal) {
  ASSERT_EQ(guard_.acquire(kShort), Outcome::done);
  const SharedEvent waiting;
  const SharedEvent interrupted;
  static const SharedEvent* told = nullptr;
  told = &interrupted;
  Child waiter([&] {
    signal(SIGUSR1, [](int) { told->notify(); });
    waiting.notify();
    return guard_.wait_for_rest(kLong) == Outcome::done ? 0 : 1;
  });
  ASSERT_TRUE(waiting.wait());
  waiter.signal(SIGUSR1);
  ASSERT_TRUE(interrupted.wait());
  guard_.release();
  EXPECT_EQ(waiter.join(), 0);
}

TEST_F(GuardTest, OthersMayOnlyWaitForRest) {
  if (geteuid() != 0) GTEST_SKIP() << "needs root to become another user";
  Child other([&] {
    if (setresuid(kNobody, kNobody, kNobody) != 0) return 1;
    if (guard_.wait_for_rest(kShort) != Outcome::done) return 2;
    if (guard_.acquire(kShort) != Outcome::denied) return 3;
    sembuf up{.sem_num = 0, .sem_op = 1, .sem_flg = 0};
    if (semop(guard_.id(), &up, 1) == 0 || errno != EACCES) return 4;
    if (semctl(guard_.id(), 0, SETVAL, 1) == 0) return 5;
    if (semctl(guard_.id(), 0, IPC_RMID) == 0) return 6;
    return guard_.is_ours() ? 7 : 0;
  });
  EXPECT_EQ(other.join(), 0);
  EXPECT_EQ(semaphore_value(guard_.id()), 0);
  EXPECT_TRUE(guard_.is_ours());
}

TEST_F(GuardTest, KnowsTheSetsThatItDidNotMake) {
  const int pair = semget(IPC_PRIVATE, 2, IPC_CREAT | 0644);
  const int secret = semget(IPC_PRIVATE, 1, IPC_CREAT | 0600);
  EXPECT_FALSE(Guard(pair).is_ours());
  EXPECT_FALSE(Guard(secret).is_ours());
  Guard(pair).remove();
  Guard(secret).remove();
}

}  // namespace
}  // namespace foster::region
