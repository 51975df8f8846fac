// Reads beside a writer, and beside one that is killed again and again: a copy is one state, whole.
#include <algorithm>
#include <csignal>
#include <random>

#include "tests/os/region/fixture.hpp"

namespace foster::region {
namespace {

constexpr uint32_t kSlots = 4;
// Enough that a writer is nearly always within a slot, so that a kill hits it there.
constexpr uint32_t kManySlots = 256;
constexpr uint64_t kReads = 10'000'000;
// On a busy machine the writer may hardly run during the reads; then there are more of them.
constexpr uint64_t kChanges = 1'000;

using TornReads = RegionTest;

void publish_all(Writer& writer, uint64_t number) {
  std::vector<SlotUpdate> updates;
  const foster_slot_body body = patterned_body(number);
  for (uint32_t i = 0; i < writer.header().slot_count; ++i)
    updates.push_back({.slot = i, .body = body});
  const foster_event event = numbered_event(static_cast<int32_t>(number));
  const Result<void> published =
      writer.publish(updates, std::span(&event, 1), {.last_attempt = number, .last_job = number});
  EXPECT_EQ(message_of(published), "");
}

// What a reader has seen of each slot; the numbers must never go back.
class Watcher {
 public:
  explicit Watcher(const Reader& reader) : reader_(reader), seen_(reader.slot_count()) {}

  /// False at the first copy that is torn or older than one before.
  [[nodiscard]] bool read(uint32_t slot) {
    foster_slot_body body;
    if (!reader_.copy_body(slot, body)) return false;
    const std::optional<uint64_t> number = number_of(body);
    if (!number || *number < seen_[slot]) return false;
    changes_ += *number != seen_[slot];
    seen_[slot] = *number;
    return true;
  }
  [[nodiscard]] uint64_t changes() const { return changes_; }
  [[nodiscard]] uint64_t newest() const { return *std::ranges::max_element(seen_); }

 private:
  const Reader& reader_;
  std::vector<uint64_t> seen_;
  uint64_t changes_ = 0;
};

TEST_F(TornReads, TenMillionReadsBesideAWriterAreWhole) {
  Writer writer = open_writer(kSlots);
  publish_all(writer, 1);
  const SharedEvent writing;
  const Child publisher([&] {
    for (uint64_t number = 2;; ++number) {
      publish_all(writer, number);
      if (number == 2) writing.notify();
    }
    return 0;
  });
  ASSERT_TRUE(writing.wait());

  const Reader reader = open_reader();
  Watcher watcher(reader);
  uint64_t reads = 0;
  for (; reads < kReads; ++reads)
    ASSERT_TRUE(watcher.read(reads % kSlots)) << "read " << reads;
  const Instant deadline = far_deadline();
  for (; watcher.changes() < kChanges; ++reads) {
    ASSERT_TRUE(watcher.read(reads % kSlots)) << "read " << reads;
    ASSERT_LT(now_since_boot(), deadline) << "the writer hardly runs beside the reader";
  }
}

TEST_F(TornReads, EventsAreWholeAndInOrder) {
  Writer writer = open_writer(kSlots);
  publish_all(writer, 1);
  const Child publisher([&] {
    for (uint64_t number = 2;; ++number)
      publish_all(writer, number);
    return 0;
  });

  const Reader reader = open_reader();
  uint64_t next = 1;
  uint64_t seen = 0;
  while (seen < kChanges) {
    const uint32_t generation = reader.generation();
    for (const foster_event& event : reader.events(next)) {
      ASSERT_GE(event.sequence, next);
      ASSERT_EQ(static_cast<uint64_t>(event.value), event.sequence);
      ASSERT_STREQ(event.name, "unit");
      next = event.sequence + 1;
      ++seen;
    }
    ASSERT_TRUE(reader.wait_for_change(generation, far_deadline()));
  }
}

// The writer is killed at any instruction; each of its successors adopts and goes on.
TEST_F(TornReads, KilledWritersAndTheirSuccessorsLeaveWholeSlots) {
  constexpr int kKills = 200;
  {
    Writer first = open_writer(kManySlots);
    publish_all(first, 1);
  }
  const Reader reader = open_reader();
  Watcher watcher(reader);
  std::minstd_rand random(20);
  int hits = 0;
  const OwnerFields fields = owner();
  for (int kill = 0; kill < kKills; ++kill) {
    const Duration life = std::chrono::microseconds(1 + random() % 1000);
    Child publisher([&] {
      Result<Writer> writer = Writer::open(options(), fields);
      if (!writer || !writer->adopted()) return 1;
      die_after(life);
      for (uint64_t number = writer->header().last_attempt + 1;; ++number)
        publish_all(*writer, number);
      return 0;
    });
    for (uint64_t reads = random() % 20'000; reads > 0; --reads)
      ASSERT_TRUE(watcher.read(reads % kManySlots));
    ASSERT_EQ(publisher.join(), 128 + SIGKILL) << "the successor did not adopt the region";
    for (uint32_t slot = 0; slot < kManySlots; ++slot) {
      ASSERT_TRUE(watcher.read(slot));
      hits += reader.slot(slot)->writer_died;
    }
    // Numbers are recorded before the states that use them.
    ASSERT_LE(watcher.newest(), reader.header().last_attempt);
  }
  EXPECT_GT(hits, 0) << "no kill came within a write";
  // The last manager's death may have left a slot odd; once more, and all is current.
  const Writer last = open_writer();
  EXPECT_TRUE(last.adopted());
  for (uint32_t slot = 0; slot < kManySlots; ++slot) {
    const Result<SlotView> view = reader.slot(slot);
    ASSERT_EQ(message_of(view), "");
    EXPECT_FALSE(view->writer_died || view->writer_stuck);
  }
}

}  // namespace
}  // namespace foster::region
