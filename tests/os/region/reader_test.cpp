// What a reader makes of the objects it may meet, of the daemon's processes, and of time.
#include <cerrno>
#include <csignal>
#include <cstring>
#include <random>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "common/region/geometry.hpp"
#include "common/region/guard.hpp"
#include "common/region/process_stat.hpp"
#include "tests/os/region/fixture.hpp"

namespace foster::region {
namespace {

using std::chrono::milliseconds;

constexpr uid_t kNobody = 65534;

class ReaderTest : public RegionTest {
 protected:
  // The bytes of the object that is there, to be damaged.
  [[nodiscard]] Mapping writable() const {
    const Result<OpenedObject> opened = open_object(name(), Access::read_write);
    return Mapping::map(opened.value(), Access::read_write).value();
  }
  [[nodiscard]] std::string error_of_open(uid_t owner_uid = geteuid()) const {
    return message_of(Reader::open(name(), owner_uid));
  }
};

foster_region_header& header_in(const Mapping& mapping) {
  return *static_cast<foster_region_header*>(mapping.base());
}

foster_slot& slot_in(const Mapping& mapping, uint32_t index) {
  char* slots = static_cast<char*>(mapping.base()) + header_in(mapping).slots_offset;
  return reinterpret_cast<foster_slot*>(slots)[index];
}

TEST_F(ReaderTest, NoObjectIsNoDaemon) {
  const Result<Reader> reader = Reader::open(name(), geteuid());
  ASSERT_FALSE(reader);
  EXPECT_EQ(reader.error().system_error, ENOENT);
}

TEST_F(ReaderTest, SaysWhatIsWrongWithAnObject) {
  const Writer writer = open_writer(1);
  const Mapping bytes = writable();
  foster_region_header& header = header_in(bytes);
  const foster_region_header good = header;
  const auto expect_error = [&](const char* why) {
    EXPECT_EQ(error_of_open(),
              "cannot read the status: cannot use the status region: " + std::string(why));
    header = good;
  };
  header.magic = 1;
  expect_error("it is not one of foster's");
  header.version = 9;
  expect_error("its version is 9, not 3");
  header.slot_size = 8;
  expect_error("it is damaged: its sizes are not those of its version");
  header.slot_count = ~0u;
  expect_error("it is damaged: its parts do not lie within it");
  header.edge_size = 16;
  expect_error("it is damaged: its sizes are not those of its version");
  header.edge_count = ~0u;
  expect_error("it is damaged: its parts do not lie within it");
  header.boot_id[0] = '?';
  expect_error("it was left from before the machine was booted");
  header.total_size = bytes.size() + 1;
  expect_error(("it is cut short: " + std::to_string(bytes.size()) + " bytes of " +
                std::to_string(bytes.size() + 1))
                   .c_str());
  EXPECT_EQ(error_of_open(), "");
}

TEST_F(ReaderTest, IsNeitherHeldUpByAFifoNorLedAwayByALink) {
  ASSERT_EQ(mkfifo(path().c_str(), 0644), 0);
  EXPECT_EQ(error_of_open(), "cannot read the status: cannot open shared memory " + name() +
                                 ": it is no shared memory object");
  ASSERT_EQ(unlink(path().c_str()), 0);
  ASSERT_EQ(symlink("/proc/self/maps", path().c_str()), 0);
  EXPECT_EQ(error_of_open(), "cannot read the status: cannot open shared memory " + name() +
                                 ": Too many levels of symbolic links");
}

TEST_F(ReaderTest, TrustsTheOwnerAndRootOnly) {
  if (geteuid() != 0) GTEST_SKIP() << "needs root to give files away";
  const Writer writer = open_writer(1);
  EXPECT_EQ(error_of_open(1000), "") << "root's objects are good for everyone";
  ASSERT_EQ(chown(path().c_str(), kNobody, kNobody), 0);
  EXPECT_EQ(error_of_open(kNobody), "");
  EXPECT_EQ(error_of_open(1000), "cannot read the status: cannot use shared memory " + name() +
                                     ": it belongs to uid 65534, not 1000");
  ASSERT_EQ(chown(path().c_str(), 0, 0), 0);
}

TEST_F(ReaderTest, AnOrdinaryUserReadsRootsRegion) {
  if (geteuid() != 0) GTEST_SKIP() << "needs root to become another user";
  Writer writer = open_writer(1);
  publish_number(writer, 0, 4);
  const SharedEvent waiting;
  Child user([&] {
    if (setresuid(kNobody, kNobody, kNobody) != 0) return 1;
    const Result<Reader> reader = Reader::open(name(), 0);
    if (!reader) return 2;
    const uint32_t seen = reader->generation();
    waiting.notify();
    if (!reader->wait_for_change(seen, far_deadline())) return 3;
    foster_slot_body body;
    return reader->copy_body(0, body) && number_of(body) == 5 ? 0 : 4;
  });
  ASSERT_TRUE(waiting.wait());
  publish_number(writer, 0, 5);
  EXPECT_EQ(user.join(), 0);
}

// Every string that has no end, every number out of its range: an error or a bounded answer.
TEST_F(ReaderTest, StringsWithoutAnEndEndAtTheirField) {
  const Writer writer = open_writer(2);
  const Mapping bytes = writable();
  foster_slot& slot = slot_in(bytes, 0);
  std::memset(slot.name, 'x', sizeof slot.name);
  std::memset(slot.body, 'y', sizeof slot.body);
  const Reader reader = open_reader();
  const Result<SlotView> view = reader.slot(0);
  ASSERT_EQ(message_of(view), "");
  EXPECT_EQ(view->name, std::string(FOSTER_NAME_SIZE - 1, 'x'));
  EXPECT_EQ(std::strlen(view->body.status_text), FOSTER_TEXT_SIZE - 1);
  EXPECT_EQ(std::strlen(view->body.detail), FOSTER_TEXT_SIZE - 1);
  EXPECT_EQ(reader.find("nothing of the kind"), std::nullopt);
  slot.name[0] = '\0';
  EXPECT_EQ(message_of(reader.slot(0)),
            "cannot read slot 0 of the status region: it is damaged: it has no name");
  EXPECT_EQ(message_of(reader.slot(2)),
            "cannot read slot 2 of the status region: there is no such slot");
  std::memset(header_in(bytes).version_text, 'v', sizeof header_in(bytes).version_text);
  EXPECT_EQ(std::strlen(reader.header().version_text), sizeof header_in(bytes).version_text - 1);
}

// Random words all over the header and the slots. Whatever they say, a reader stays within the
// object and comes to an end.
TEST_F(ReaderTest, SurvivesObjectsOfRandomContent) {
  Writer writer = open_writer(3);
  publish_number(writer, 1, 1);
  const Mapping bytes = writable();
  const std::string good(static_cast<const char*>(bytes.base()), bytes.size());
  std::mt19937_64 random(1);
  int opened = 0;
  for (int round = 0; round < 3000; ++round) {
    std::memcpy(bytes.base(), good.data(), good.size());
    for (uint64_t damages = 1 + random() % 4; damages > 0; --damages) {
      const bool in_header = random() % 2 == 0;
      const uint64_t bound = in_header ? sizeof(foster_region_header) : bytes.size();
      const uint64_t value = random() >> (random() % 64);
      const uint64_t width = random() % 2 == 0 ? 4 : 8;
      std::memcpy(static_cast<char*>(bytes.base()) + random() % (bound / 4 - 1) * 4, &value, width);
    }
    // A random number must not be that of a semaphore which is held: it would be waited for.
    header_in(bytes).semaphore_id = Guard::kNoSet;
    Result<Reader> reader = Reader::open(name(), geteuid());
    if (!reader) continue;
    ++opened;
    for (uint32_t slot = 0; slot < reader->slot_count() && slot < 8; ++slot)
      if (slot_in(bytes, slot).sequence % 2 == 0) static_cast<void>(reader->slot(slot));
    static_cast<void>(reader->find("unit-0001"));
    static_cast<void>(reader->events(0));
    static_cast<void>(reader->header());
    static_cast<void>(reader->manager(now_since_boot()));
  }
  EXPECT_GT(opened, 100);
  std::memcpy(bytes.base(), good.data(), good.size());
}

TEST_F(ReaderTest, WaitsUntilTheTimeGivenAndNoLonger) {
  Writer writer = open_writer(1);
  const Reader reader = open_reader();
  const uint32_t seen = reader.generation();
  const Instant until = now_since_boot() + milliseconds(30);
  EXPECT_FALSE(reader.wait_for_change(seen, until));
  EXPECT_GE(now_since_boot(), until);
  EXPECT_FALSE(reader.wait_for_change(seen, Instant{0}));
  EXPECT_TRUE(reader.wait_for_change(seen - 1, std::nullopt));
  publish_number(writer, 0, 1);
  EXPECT_TRUE(reader.wait_for_change(seen, Instant{0}));
}

TEST_F(ReaderTest, IsWokenByEachPublish) {
  Writer writer = open_writer(1);
  const SharedEvent about_to_wait;
  Child waiter([&] {
    const Reader reader = open_reader();
    for (int i = 0; i < 500; ++i) {
      const uint32_t seen = reader.generation();
      about_to_wait.notify();
      if (!reader.wait_for_change(seen, far_deadline())) return 1;
    }
    return 0;
  });
  for (uint64_t i = 1; i <= 500; ++i) {
    ASSERT_TRUE(about_to_wait.wait());
    publish_number(writer, 0, i);
  }
  EXPECT_EQ(waiter.join(), 0);
}

// 0 when the reader learned in the end that there is no object any more.
int follow_to_the_end(Reader& reader) {
  for (;;) {
    const uint32_t seen = reader.generation();
    const Result<bool> changed = reader.refresh();
    if (!changed) return changed.error().system_error == ENOENT ? 0 : 1;
    if (!reader.wait_for_change(seen, far_deadline())) return 2;
  }
}

TEST_F(ReaderTest, AnOrderlyEndWakesReadersAndTellsThem) {
  Writer writer = open_writer(1);
  const SharedEvent waiting;
  Child waiter([&] {
    Reader reader = open_reader();
    waiting.notify();
    return follow_to_the_end(reader);
  });
  ASSERT_TRUE(waiting.wait());
  writer.remove();
  EXPECT_EQ(waiter.join(), 0);
}

TEST_F(ReaderTest, ANewDaemonsObjectIsFoundUnderTheOldName) {
  Writer first = open_writer(1);
  Reader reader = open_reader();
  first.remove();
  EXPECT_FALSE(reader.refresh());
  EXPECT_EQ(reader.slot_count(), 1u) << "the last content is still there to be read";
  const Writer second = open_writer(2);
  const Result<bool> changed = reader.refresh();
  ASSERT_EQ(message_of(changed), "");
  EXPECT_TRUE(*changed);
  EXPECT_EQ(reader.slot_count(), 2u);
}

TEST_F(ReaderTest, ADeletedObjectOfADeadDaemonIsNoMore) {
  Child daemon([] { return pause(); });
  OwnerFields fields = owner();
  fields.keeper_pid = daemon.pid();
  const Result<Writer> writer = Writer::open(options(), fields);
  ASSERT_EQ(message_of(writer), "");
  Reader reader = open_reader();
  Guard(writer->header().semaphore_id).remove();
  ASSERT_EQ(shm_unlink(name().c_str()), 0);
  EXPECT_FALSE(reader.refresh().value());
  daemon.kill_hard();
  const Result<bool> gone = reader.refresh();
  ASSERT_FALSE(gone);
  EXPECT_EQ(gone.error().system_error, ENOENT);
}

TEST_F(ReaderTest, TellsHowTheDaemonsProcessesAre) {
  const SharedEvent unused;
  Child manager([&] { return unused.wait() ? 0 : 1; });
  OwnerFields fields = owner();
  fields.manager_pid = manager.pid();
  Result<Writer> writer = Writer::open(options(), fields);
  ASSERT_EQ(message_of(writer), "");
  const Reader reader = open_reader();
  const Instant now = now_since_boot();
  EXPECT_EQ(reader.keeper(now), Liveness::alive);
  EXPECT_EQ(reader.manager(now), Liveness::alive);

  writer->turn_started(now.ns - 900'000'000);
  EXPECT_EQ(reader.manager(now), Liveness::alive);
  writer->turn_started(now.ns - 1'100'000'000);
  EXPECT_EQ(reader.manager(now), Liveness::busy);
  writer->turn_ended();
  EXPECT_EQ(reader.manager(now), Liveness::alive);

  manager.stop();
  EXPECT_EQ(reader.manager(now), Liveness::frozen);
  manager.signal(SIGKILL);
  siginfo_t info{};
  ASSERT_EQ(waitid(P_PID, static_cast<id_t>(manager.pid()), &info, WEXITED | WNOWAIT), 0);
  EXPECT_EQ(reader.manager(now), Liveness::dead) << "a zombie manages nothing";
  manager.kill_hard();
  EXPECT_EQ(reader.manager(now), Liveness::dead);
  header_in(writable()).manager_pid = getpid();
  EXPECT_EQ(reader.manager(now), Liveness::dead) << "the pid is another process's by now";
  Guard(writer->header().semaphore_id).remove();
}

TEST(ProcessStat, CountsFieldsFromTheEndOfTheName) {
  const std::string fields = " 1 7 7 0 -1 4194560 99 0 0 0 1 2 0 0 20 0 1 0 8888 2 3\n";
  for (const char* program : {"sh", "a b", "a) S 1", "((", ") R 1 (", ""}) {
    const auto stat = parse_process_stat("7 (" + std::string(program) + ") T" + fields);
    ASSERT_TRUE(stat) << program;
    EXPECT_EQ(stat->state, 'T') << program;
    EXPECT_EQ(stat->start_ticks, 8888u) << program;
  }
  for (const char* text : {"", "7", "7 (sh", "7 (sh)", "7 (sh) ", "7 (sh) S 1 2 3", ")", ") "})
    EXPECT_FALSE(parse_process_stat(text)) << text;
  const auto own = read_process_stat(getpid());
  ASSERT_TRUE(own);
  EXPECT_EQ(own->state, 'R');
  EXPECT_GT(own->start_ticks, 0u);
}

}  // namespace
}  // namespace foster::region
