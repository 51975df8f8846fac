// Readers that are stopped, crowd or misbehave cannot hold the manager up; a manager that is
// stopped or killed within a write does not hold readers up.
#include <cerrno>
#include <climits>
#include <csignal>
#include <cstring>
#include <linux/futex.h>
#include <sys/mman.h>
#include <sys/sem.h>
#include <sys/syscall.h>
#include <thread>

#include "common/region/geometry.hpp"
#include "common/region/guard.hpp"
#include "common/region/shared_words.hpp"
#include "tests/os/region/fixture.hpp"

namespace foster::region {
namespace {

constexpr uid_t kNobody = 65534;
constexpr uint32_t kNewest = 1000;

// A manager that stands still in the midst of writing slot 0: it holds the guard, the sequence is
// odd, and one half of the other body is that of the newer state. Made from the pieces of the
// layout, since the writer itself has no place to stop at.
class HalfWrite {
 public:
  explicit HalfWrite(const std::string& name) {
    const Result<OpenedObject> opened = open_object(name, Access::read_write);
    mapping_ = Mapping::map(opened.value(), Access::read_write).value();
    auto& header = *static_cast<foster_region_header*>(mapping_.base());
    parts_ = Parts<foster_region_header>(mapping_.base(),
                                         read_geometry(header, mapping_.size()).value());
  }

  [[nodiscard]] bool begin() {
    foster_slot& slot = parts_.slot(0);
    if (guard().acquire(std::chrono::seconds(1)) != Guard::Outcome::done) return false;
    store(slot.sequence, slot.sequence + 1);
    const foster_slot_body newest = patterned_body(kNewest);
    std::memcpy(&slot.body[1 - slot.current], &newest, sizeof newest / 2);
    return true;
  }

  void finish() {
    foster_slot& slot = parts_.slot(0);
    store_struct(slot.body[1 - slot.current], patterned_body(kNewest));
    store(slot.current, 1 - slot.current);
    store(slot.sequence, slot.sequence + 1);
    foster_region_header& header = parts_.header();
    store(header.generation, header.generation + 1);
    guard().release();
    syscall(SYS_futex, &header.generation, FUTEX_WAKE, INT_MAX, nullptr, nullptr, 0);
  }

 private:
  [[nodiscard]] Guard guard() const { return Guard(parts_.header().semaphore_id); }

  Mapping mapping_;
  Parts<foster_region_header> parts_;
};

class HostileTest : public RegionTest {
 protected:
  // A child that has begun a write when this returns; it ends it when told so.
  std::unique_ptr<Child> half_writer() {
    auto child = std::make_unique<Child>([this] {
      HalfWrite write(name());
      if (!write.begin()) return 1;
      writing_.notify();
      if (!finish_.wait()) return 2;
      write.finish();
      return 0;
    });
    EXPECT_TRUE(writing_.wait());
    return child;
  }
  void let_it_finish() const { finish_.notify(); }

  // Children that read slot 0 once, are about to when this returns, and exit with 0 when what they
  // got is as `expected` says.
  std::vector<std::unique_ptr<Child>> readers_of_slot(
      const std::function<bool(const SlotView&)>& expected) {
    std::vector<std::unique_ptr<Child>> readers;
    const SharedEvent reading;
    for (int i = 0; i < 8; ++i)
      readers.push_back(std::make_unique<Child>([&] {
        const Reader reader = open_reader();
        reading.notify();
        const Result<SlotView> view = reader.slot(0);
        return view && expected(*view) ? 0 : 1;
      }));
    EXPECT_TRUE(reading.wait(readers.size()));
    return readers;
  }

 private:
  SharedEvent writing_;
  SharedEvent finish_;
};

// SlotView ends its texts, which belong to the pattern, with a NUL each.
uint64_t first_word(const foster_slot_body& body) {
  uint64_t word = 0;
  std::memcpy(&word, &body, sizeof word);
  return word;
}

TEST_F(HostileTest, AReaderWaitsForTheEndOfAWrite) {
  Writer writer = open_writer(1);
  publish_number(writer, 0, 1);
  const auto manager = half_writer();
  const auto readers = readers_of_slot([](const SlotView& view) {
    return view.writer_stuck || (!view.writer_died && first_word(view.body) == kNewest);
  });
  let_it_finish();
  EXPECT_EQ(manager->join(), 0);
  for (const auto& reader : readers)
    EXPECT_EQ(reader->join(), 0);
}

TEST_F(HostileTest, AManagerKilledWithinAWriteReleasesEveryReader) {
  Writer writer = open_writer(1);
  publish_number(writer, 0, 1);
  const auto manager = half_writer();
  const auto readers = readers_of_slot([](const SlotView& view) {
    return (view.writer_died || view.writer_stuck) && first_word(view.body) == 1;
  });
  manager->kill_hard();
  EXPECT_EQ(semaphore_value(writer.header().semaphore_id), 0);
  for (const auto& reader : readers)
    EXPECT_EQ(reader->join(), 0);

  const Reader reader = open_reader();
  foster_slot_body body;
  ASSERT_TRUE(reader.copy_body(0, body));
  EXPECT_EQ(number_of(body), 1u) << "not the last whole state";
  EXPECT_TRUE(reader.slot(0)->writer_died);

  Writer successor = open_writer();
  ASSERT_TRUE(successor.adopted());
  EXPECT_EQ(number_of(successor.remembered()[0].body), 1u);
  EXPECT_FALSE(reader.slot(0)->writer_died);
  publish_number(successor, 0, 2);
  ASSERT_TRUE(reader.copy_body(0, body));
  EXPECT_EQ(number_of(body), 2u);
}

TEST_F(HostileTest, AManagerStoppedWithinAWriteHoldsReadersUpOnlyOnceAndBriefly) {
  Writer writer = open_writer(1);
  publish_number(writer, 0, 1);
  const auto manager = half_writer();
  manager->stop();
  const Reader reader = open_reader();
  const Instant start = now_since_boot();
  for (int i = 0; i < 1000; ++i) {
    const Result<SlotView> view = reader.slot(0);
    ASSERT_TRUE(view && view->writer_stuck && !view->writer_died);
    ASSERT_EQ(first_word(view->body), 1u);
  }
  EXPECT_LT(now_since_boot() - start, std::chrono::seconds(10)) << "each read waited anew";
  manager->signal(SIGCONT);
  let_it_finish();
  EXPECT_EQ(manager->join(), 0);
  EXPECT_FALSE(reader.slot(0)->writer_stuck);
  EXPECT_EQ(first_word(reader.slot(0)->body), kNewest);
}

TEST_F(HostileTest, ASemaphoreRemovedWithinAWriteDoesNotLoseItsReaders) {
  Writer writer = open_writer(1);
  publish_number(writer, 0, 1);
  const auto manager = half_writer();
  const auto readers = readers_of_slot([](const SlotView& view) {
    return view.writer_stuck || (!view.writer_died && first_word(view.body) == kNewest);
  });
  ASSERT_EQ(semctl(writer.header().semaphore_id, 0, IPC_RMID), 0);
  let_it_finish();
  EXPECT_EQ(manager->join(), 0);
  for (const auto& reader : readers)
    EXPECT_EQ(reader->join(), 0);
  publish_number(writer, 0, 2);
  EXPECT_EQ(first_word(open_reader().slot(0)->body), 2u);
}

Duration processor_time() {
  timespec used{};
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &used);
  return std::chrono::seconds(used.tv_sec) + Duration(used.tv_nsec);
}

TEST_F(HostileTest, WaitingForAWriteCostsNoProcessorTime) {
  Writer writer = open_writer(1);
  publish_number(writer, 0, 1);
  const auto manager = half_writer();
  for (const bool with_semaphore : {true, false}) {
    if (!with_semaphore) Guard(writer.header().semaphore_id).remove();
    const Reader reader = open_reader();
    const Duration before = processor_time();
    EXPECT_TRUE(reader.slot(0)->writer_stuck);
    EXPECT_LT(processor_time() - before, std::chrono::milliseconds(20)) << with_semaphore;
  }
}

// The writer waits 100 ms for the guard and then takes a new one: that the number stays the same is
// the proof that it was never kept from it, however slow this machine may be.
TEST_F(HostileTest, StoppedReadersDoNotDelayTheManager) {
  Writer writer = open_writer(1);
  publish_number(writer, 0, 1);
  const int semaphore = writer.header().semaphore_id;
  const auto manager = half_writer();
  std::vector<std::unique_ptr<Child>> readers =
      readers_of_slot([](const SlotView&) { return true; });
  const SharedEvent running;
  for (int i = 0; i < 4; ++i)
    readers.push_back(std::make_unique<Child>([&] {
      const Reader reader = open_reader();
      running.notify();
      for (;;)
        static_cast<void>(reader.slot(0));
      return 0;
    }));
  ASSERT_TRUE(running.wait(4));
  for (size_t i = readers.size() - 4; i < readers.size(); ++i)
    readers[i]->stop();
  manager->kill_hard();
  Writer successor = open_writer();
  for (uint64_t number = 2; number < 2000; ++number)
    publish_number(successor, 0, number);
  EXPECT_EQ(successor.header().semaphore_id, semaphore);
}

// Everything that read permission allows, at once and for ever.
class HostileCrowd {
 public:
  HostileCrowd(std::string name, const SharedEvent& ready)
      : name_(std::move(name)), ready_(ready) {}

  int run() {
    if (geteuid() == 0 && setresuid(kNobody, kNobody, kNobody) != 0) return 1;
    const Result<OpenedObject> opened = open_object(name_, Access::read_only);
    if (!opened || open_object(name_, Access::read_write)) return 2;
    Result<Mapping> mapping = Mapping::map(*opened, Access::read_only);
    if (!mapping) return 3;
    header_ = static_cast<const foster_region_header*>(mapping->base());
    std::vector<std::thread> threads;
    for (int i = 0; i < kSleepers; ++i)
      threads.emplace_back([this] { sleep_on_the_generation(); });
    for (int i = 0; i < 4; ++i)
      threads.emplace_back([this] { wait_for_rest(); });
    threads.emplace_back([this] { map_and_unmap(); });
    ready_.notify();
    for (std::thread& thread : threads)
      thread.join();
    return 4;
  }

 private:
  static constexpr int kSleepers = 1000;

  void sleep_on_the_generation() {
    for (;;)
      syscall(SYS_futex, &header_->generation, FUTEX_WAIT, load(header_->generation), nullptr,
              nullptr, 0);
  }

  void wait_for_rest() {
    sembuf operations[] = {{.sem_num = 0, .sem_op = 0, .sem_flg = 0},
                           {.sem_num = 0, .sem_op = 0, .sem_flg = 0}};
    sembuf up{.sem_num = 0, .sem_op = 1, .sem_flg = 0};
    for (;;) {
      semop(header_->semaphore_id, operations, 2);
      semop(header_->semaphore_id, &up, 1);
      semctl(header_->semaphore_id, 0, IPC_RMID);
    }
  }

  void map_and_unmap() {
    for (;;) {
      const Result<OpenedObject> opened = open_object(name_, Access::read_only);
      if (opened) static_cast<void>(Mapping::map(*opened, Access::read_only));
    }
  }

  std::string name_;
  const SharedEvent& ready_;
  const foster_region_header* header_ = nullptr;
};

TEST_F(HostileTest, ACrowdOfHostileReadersDoesNotDelayTheManager) {
  if (geteuid() != 0) GTEST_SKIP() << "needs root to become another user";
  Writer writer = open_writer(1);
  publish_number(writer, 0, 1);
  const int semaphore = writer.header().semaphore_id;
  const SharedEvent ready;
  Child crowd([&] { return HostileCrowd(name(), ready).run(); });
  ASSERT_TRUE(ready.wait());
  for (uint64_t number = 2; number <= 200; ++number)
    publish_number(writer, 0, number);
  EXPECT_EQ(writer.header().semaphore_id, semaphore)
      << "the guard was held against the manager for 100 ms";
  crowd.kill_hard();
  foster_slot_body body;
  ASSERT_TRUE(open_reader().copy_body(0, body));
  EXPECT_EQ(number_of(body), 200u);
}

TEST_F(HostileTest, WhoTakesTheGuardAndKeepsItIsGotRidOfOnce) {
  Writer writer = open_writer(1);
  const int taken = writer.header().semaphore_id;
  sembuf up{.sem_num = 0, .sem_op = 1, .sem_flg = 0};
  ASSERT_EQ(semop(taken, &up, 1), 0);
  const Instant start = now_since_boot();
  publish_number(writer, 0, 1);
  EXPECT_GE(now_since_boot() - start, std::chrono::milliseconds(100));
  const int replacement = writer.header().semaphore_id;
  EXPECT_NE(replacement, taken);
  EXPECT_FALSE(semaphore_exists(taken));
  for (uint64_t number = 2; number < 100; ++number)
    publish_number(writer, 0, number);
  EXPECT_EQ(writer.header().semaphore_id, replacement);
  EXPECT_EQ(semaphore_value(replacement), 0);
}

}  // namespace
}  // namespace foster::region
