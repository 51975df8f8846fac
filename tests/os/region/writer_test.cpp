// What a manager finds, takes over, replaces and leaves: the region's object and its guard over the
// deaths of managers and the doings of others.
#include <cstring>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/sem.h>
#include <sys/stat.h>

#include "common/region/guard.hpp"
#include "common/region/process_stat.hpp"
#include "tests/os/region/fixture.hpp"

namespace foster::region {
namespace {

constexpr uid_t kNobody = 65534;

class WriterTest : public RegionTest {
 protected:
  // Writes over the header of the object that is there, as a damaged or foreign one has it.
  void alter_header(const std::function<void(foster_region_header&)>& alter) const {
    const Result<OpenedObject> opened = open_object(name(), Access::read_write);
    const Result<Mapping> mapping = Mapping::map(opened.value(), Access::read_write);
    alter(*static_cast<foster_region_header*>(mapping.value().base()));
  }

  [[nodiscard]] int object_mode() const {
    struct stat status = {};
    return stat(path().c_str(), &status) == 0 ? static_cast<int>(status.st_mode & 07777) : -1;
  }

  [[nodiscard]] bool exists(const std::string& object_name) const {
    return identify_object(object_name).has_value();
  }

  // A region with one published unit, whose manager died; its guard.
  Guard leave_a_region() const {
    Writer writer = open_writer(1);
    publish_number(writer, 0, 7);
    return Guard(writer.header().semaphore_id);
  }
};

TEST_F(WriterTest, CreatesAWholeObjectThatEveryoneMayRead) {
  const mode_t before = umask(077);
  const Writer writer = open_writer();
  umask(before);
  EXPECT_FALSE(writer.adopted());
  EXPECT_EQ(object_mode(), 0644);
  const foster_region_header& header = writer.header();
  EXPECT_EQ(header.magic, FOSTER_REGION_MAGIC);
  EXPECT_EQ(header.slot_count, 0u);
  EXPECT_EQ(header.manager_pid, getpid());
  EXPECT_EQ(header.keeper_start_ticks, read_process_stat(getpid())->start_ticks);
  EXPECT_EQ(header.boot_id, read_boot_id());
  EXPECT_STREQ(header.version_text, "test");
  EXPECT_GT(header.daemon_started_real_ns, 0);
  EXPECT_TRUE(semaphore_exists(header.semaphore_id));
  EXPECT_FALSE(exists(successor_name(name())));
}

TEST_F(WriterTest, PublishesAllAtOnce) {
  Writer writer = open_writer(3);
  const Reader reader = open_reader();
  const uint32_t generation = reader.generation();
  const std::vector<SlotUpdate> updates{{.slot = 0, .body = patterned_body(10)},
                                        {.slot = 2, .body = patterned_body(12)}};
  const std::vector<foster_event> events{numbered_event(100), numbered_event(101)};
  ASSERT_EQ(
      message_of(writer.publish(
          updates, events,
          {.phase = FOSTER_PHASE_STOPPING, .exit_code = 3, .last_attempt = 44, .last_job = 55})),
      "");
  const foster_region_header header = reader.header();
  EXPECT_EQ(header.generation, generation + 1);
  EXPECT_EQ(header.phase, static_cast<uint32_t>(FOSTER_PHASE_STOPPING));
  EXPECT_EQ(header.exit_code, 3);
  EXPECT_EQ(header.last_attempt, 44u);
  EXPECT_EQ(header.last_job, 55u);
  foster_slot_body body;
  ASSERT_TRUE(reader.copy_body(0, body));
  EXPECT_EQ(number_of(body), 10u);
  ASSERT_TRUE(reader.copy_body(1, body));
  EXPECT_EQ(body.pid, 0);
  ASSERT_TRUE(reader.copy_body(2, body));
  EXPECT_EQ(number_of(body), 12u);
  EXPECT_EQ(number_of(writer.body(2)), 12u);
  const std::vector<foster_event> read = reader.events(0);
  ASSERT_EQ(read.size(), 2u);
  EXPECT_EQ(read[0].sequence, 1u);
  EXPECT_EQ(read[1].value, 101);
  EXPECT_EQ(semaphore_value(header.semaphore_id), 0);
}

TEST_F(WriterTest, TheRingKeepsTheLatestEvents) {
  Writer writer = open_writer(1);
  const Reader reader = open_reader();
  std::vector<foster_event> events;
  for (int32_t i = 1; i <= 100; ++i)
    events.push_back(numbered_event(i));
  ASSERT_EQ(message_of(writer.publish({}, events, {})), "");
  const std::vector<foster_event> all = reader.events(0);
  ASSERT_EQ(all.size(), 64u);
  EXPECT_EQ(all.front().value, 37);
  EXPECT_EQ(all.back().value, 100);
  EXPECT_EQ(reader.events(99).size(), 2u);
  EXPECT_EQ(reader.events(101).size(), 0u);
}

TEST_F(WriterTest, ASuccessorTakesOverWhatWasPublished) {
  const Guard guard = leave_a_region();
  const uint32_t generation = open_reader().generation();
  OwnerFields next = owner();
  next.manager_restarts = 5;
  Result<Writer> writer = Writer::open(options(), next);
  ASSERT_EQ(message_of(writer), "");
  ASSERT_TRUE(writer->adopted());
  const std::vector<RememberedSlot> remembered = writer->remembered();
  ASSERT_EQ(remembered.size(), 1u);
  EXPECT_EQ(remembered[0].name, "unit-0000");
  EXPECT_EQ(number_of(remembered[0].body), 7u);
  EXPECT_EQ(writer->header().last_attempt, 7u);
  EXPECT_EQ(writer->header().manager_restarts, 5u);
  EXPECT_EQ(writer->header().semaphore_id, guard.id());
  EXPECT_GT(writer->header().generation, generation) << "waiting readers were not told";
}

TEST_F(WriterTest, ReplacesWhatIsNotFromThisKeeper) {
  const std::vector<std::function<void(foster_region_header&)>> alterations{
      [](foster_region_header& header) { header.magic += 1; },
      [](foster_region_header& header) { header.version = 1; },
      [](foster_region_header& header) { header.boot_id[0] = '?'; },
      [](foster_region_header& header) { header.keeper_pid += 1; },
      [](foster_region_header& header) { header.keeper_start_ticks += 1; },
      [](foster_region_header& header) { header.slot_count = header.slot_capacity + 1; },
      [](foster_region_header& header) { header.slot_capacity = ~0u; },
      [](foster_region_header& header) { header.ring_offset = ~0ull - 7; },
      [](foster_region_header& header) { header.slots_offset = header.total_size - 8; },
      [](foster_region_header& header) { header.slots_offset += 1; },
      [](foster_region_header& header) { header.edges_offset = header.total_size + 8; },
      [](foster_region_header& header) { header.edge_count = 1u << 20; },
      [](foster_region_header& header) { header.edge_size += 1; },
      [](foster_region_header& header) { header.ring_capacity = 0; },
      [](foster_region_header& header) { header.total_size += 1; },
  };
  for (size_t i = 0; i < alterations.size(); ++i) {
    const Guard left = leave_a_region();
    alter_header(alterations[i]);
    Writer writer = open_writer();
    EXPECT_FALSE(writer.adopted()) << "alteration " << i;
    EXPECT_EQ(writer.header().slot_count, 0u);
    writer.remove();
    left.remove();
  }
}

TEST_F(WriterTest, ReplacesSlotsThatMakeNoSense) {
  for (const char* bad : {"", "zzzz", "this name has no end"}) {
    {
      Writer writer = open_writer(2);
      auto& slot = const_cast<foster_slot&>(*reinterpret_cast<const foster_slot*>(
          reinterpret_cast<const char*>(&writer.header()) + writer.header().slots_offset));
      std::memset(slot.name, *bad == 't' ? 'x' : 0, sizeof slot.name);
      if (*bad != 't') std::strcpy(slot.name, bad);
    }
    Writer writer = open_writer();
    EXPECT_FALSE(writer.adopted()) << bad;
    writer.remove();
  }
}

TEST_F(WriterTest, ReplacesAnObjectThatWasCutShort) {
  Guard left = leave_a_region();
  for (const off_t size : {off_t{0}, off_t{100}, off_t{4096}, off_t{8192}}) {
    ASSERT_EQ(truncate(path().c_str(), size), 0);
    Writer writer = open_writer();
    EXPECT_FALSE(writer.adopted()) << size;
    EXPECT_EQ(message_of(writer.lay_out(unit_names(1))), "");
    left.remove();
    left = Guard(writer.header().semaphore_id);
  }
}

TEST_F(WriterTest, ReadersOfAReplacedObjectAreWokenAndFollow) {
  leave_a_region();
  const SharedEvent waiting;
  Child reader([&] {
    Reader old = open_reader();
    const uint32_t seen = old.generation();
    waiting.notify();
    if (!old.wait_for_change(seen, far_deadline())) return 1;
    const Result<bool> changed = old.refresh();
    return changed && *changed && old.slot_count() == 0 ? 0 : 2;
  });
  ASSERT_TRUE(waiting.wait());
  OwnerFields other_keeper = owner();
  other_keeper.keeper_pid = getppid();
  const Result<Writer> writer = Writer::open(options(), other_keeper);
  ASSERT_EQ(message_of(writer), "");
  EXPECT_FALSE(writer->adopted());
  EXPECT_EQ(reader.join(), 0);
}

TEST_F(WriterTest, NothingOfItIsLeftAfterRemove) {
  Writer writer = open_writer(2);
  const int semaphore = writer.header().semaphore_id;
  ASSERT_TRUE(semaphore_exists(semaphore));
  writer.remove();
  EXPECT_FALSE(semaphore_exists(semaphore));
  EXPECT_FALSE(exists(name()));
  EXPECT_FALSE(exists(successor_name(name())));
}

TEST_F(WriterTest, ADeletedNameIsPutBackAndReadersFollow) {
  Writer writer = open_writer(1);
  publish_number(writer, 0, 1);
  const Result<bool> unchanged = writer.repair_if_unlinked();
  ASSERT_TRUE(unchanged && !*unchanged);

  Reader reader = open_reader();
  ASSERT_EQ(shm_unlink(name().c_str()), 0);
  const Result<bool> meanwhile = reader.refresh();
  ASSERT_EQ(message_of(meanwhile), "");
  EXPECT_FALSE(*meanwhile) << "the object without a name is still the live one";
  publish_number(writer, 0, 2);
  EXPECT_EQ(number_of(writer.body(0)), 2u);

  const SharedEvent waiting;
  Child sleeper([&] {
    const uint32_t seen = reader.generation();
    waiting.notify();
    if (!reader.wait_for_change(seen, far_deadline())) return 1;
    const Result<bool> changed = reader.refresh();
    if (!changed || !*changed) return 2;
    foster_slot_body body;
    return reader.copy_body(0, body) && number_of(body) == 2 ? 0 : 3;
  });
  ASSERT_TRUE(waiting.wait());
  const Result<bool> repaired = writer.repair_if_unlinked();
  ASSERT_EQ(message_of(repaired), "");
  EXPECT_TRUE(*repaired);
  EXPECT_EQ(sleeper.join(), 0);
  EXPECT_EQ(number_of(writer.body(0)), 2u);
}

TEST_F(WriterTest, ANameThatLeadsElsewhereIsTakenBack) {
  Writer writer = open_writer(1);
  publish_number(writer, 0, 1);
  ASSERT_EQ(shm_unlink(name().c_str()), 0);
  const Result<OpenedObject> other = create_object(name(), 10);
  ASSERT_EQ(message_of(other), "");
  const Result<bool> repaired = writer.repair_if_unlinked();
  ASSERT_TRUE(repaired && *repaired);
  foster_slot_body body;
  ASSERT_TRUE(open_reader().copy_body(0, body));
  EXPECT_EQ(number_of(body), 1u);
}

TEST_F(WriterTest, ARemovedSemaphoreIsReplacedByTheNextPublish) {
  Writer writer = open_writer(1);
  const int before = writer.header().semaphore_id;
  ASSERT_EQ(semctl(before, 0, IPC_RMID), 0);
  publish_number(writer, 0, 5);
  const int after = writer.header().semaphore_id;
  EXPECT_NE(after, before);
  EXPECT_EQ(semaphore_value(after), 0);
  foster_slot_body body;
  ASSERT_TRUE(open_reader().copy_body(0, body));
  EXPECT_EQ(number_of(body), 5u);
}

TEST_F(WriterTest, AStrangersSemaphoreIsLeftAlone) {
  leave_a_region();
  const int strangers = semget(IPC_PRIVATE, 1, IPC_CREAT | 0600);
  ASSERT_EQ(semctl(strangers, 0, SETVAL, 9), 0);
  alter_header([&](foster_region_header& header) {
    Guard(header.semaphore_id).remove();
    header.semaphore_id = strangers;
  });
  Writer writer = open_writer();
  EXPECT_TRUE(writer.adopted());
  publish_number(writer, 0, 8);
  EXPECT_NE(writer.header().semaphore_id, strangers);
  EXPECT_EQ(semaphore_value(strangers), 9);
  Guard(strangers).remove();
}

TEST_F(WriterTest, TheLeftoverOfAKilledPredecessorIsClearedAway) {
  const Guard live = leave_a_region();
  // Built, with a guard of its own, and never given the name.
  ASSERT_EQ(message_of(rename_object(name(), successor_name(name()))), "");
  const Writer writer = open_writer();
  EXPECT_FALSE(writer.adopted());
  EXPECT_FALSE(exists(successor_name(name())));
  EXPECT_FALSE(semaphore_exists(live.id()));
}

TEST_F(WriterTest, AnotherUsersObjectIsAnErrorThatNamesHim) {
  if (geteuid() != 0) GTEST_SKIP() << "needs root to become another user";
  leave_a_region();
  Child other([&] {
    if (setresuid(kNobody, kNobody, kNobody) != 0) return 1;
    const Result<Writer> writer = Writer::open(options(), owner());
    return !writer && writer.error().message.ends_with("it belongs to uid 0") ? 0 : 2;
  });
  EXPECT_EQ(other.join(), 0);
  EXPECT_TRUE(open_writer().adopted());
}

TEST_F(WriterTest, ASquatterOnTheSuccessorsNameIsNamed) {
  if (geteuid() != 0) GTEST_SKIP() << "needs root to become another user";
  ASSERT_EQ(message_of(create_object(successor_name(name()), 10)), "");
  Child other([&] {
    if (setresuid(kNobody, kNobody, kNobody) != 0) return 1;
    const Result<Writer> writer = Writer::open(options(), owner());
    return !writer && writer.error().message.ends_with("it belongs to uid 0") ? 0 : 2;
  });
  EXPECT_EQ(other.join(), 0);
}

TEST_F(WriterTest, RootReplacesAnotherUsersObject) {
  if (geteuid() != 0) GTEST_SKIP() << "needs root to become another user";
  Child other([&] {
    if (setresuid(kNobody, kNobody, kNobody) != 0) return 1;
    Result<Writer> writer = Writer::open(options(), owner());
    if (!writer || !writer->lay_out(unit_names(1))) return 2;
    Guard(writer->header().semaphore_id).remove();
    return 0;
  });
  ASSERT_EQ(other.join(), 0);
  ASSERT_EQ(identify_object(name())->owner, kNobody);
  const Writer writer = open_writer();
  EXPECT_FALSE(writer.adopted());
  EXPECT_EQ(identify_object(name())->owner, 0u);
}

// Someone else took the name while it was free. We cannot have it back, and our readers keep what
// they have.
TEST_F(WriterTest, ANameThatAnotherUserTookIsAnErrorAndNothingMore) {
  if (geteuid() != 0) GTEST_SKIP() << "needs root to become another user";
  const SharedEvent opened;
  const SharedEvent taken;
  const auto lose_the_name = [&](Writer& writer) {
    opened.notify();
    if (!taken.wait()) return false;
    const Result<bool> repaired = writer.repair_if_unlinked();
    return !repaired && repaired.error().message.ends_with("it belongs to uid 0");
  };
  Child other([&] {
    if (setresuid(kNobody, kNobody, kNobody) != 0) return 1;
    Writer writer = open_writer(1);
    Reader reader = open_reader();
    if (!lose_the_name(writer)) return 2;
    publish_number(writer, 0, 3);
    Guard(writer.header().semaphore_id).remove();
    const Result<bool> changed = reader.refresh();
    return changed && !*changed && reader.header().retired == 0 ? 0 : 3;
  });
  ASSERT_TRUE(opened.wait());
  ASSERT_EQ(shm_unlink(name().c_str()), 0);
  ASSERT_EQ(message_of(create_object(name(), 10)), "");
  taken.notify();
  EXPECT_EQ(other.join(), 0);
}

TEST_F(WriterTest, LinksAndFifosUnderTheNameAreReplacedAndNotFollowed) {
  const std::string target = path() + "-target";
  const UniqueFd file(open(target.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
  ASSERT_EQ(symlink(target.c_str(), path().c_str()), 0);
  Writer writer = open_writer();
  EXPECT_FALSE(writer.adopted());
  struct stat status = {};
  ASSERT_EQ(fstat(file.get(), &status), 0);
  EXPECT_EQ(status.st_size, 0) << "the link was followed";
  unlink(target.c_str());

  writer.remove();
  ASSERT_EQ(mkfifo(path().c_str(), 0600), 0);
  EXPECT_FALSE(open_writer().adopted());
}

}  // namespace
}  // namespace foster::region
