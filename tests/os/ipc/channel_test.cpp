// Packets over a real socket: records and descriptors arrive whole and in order, or not at all.
#include "common/ipc/channel.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <string>
#include <vector>

#include "common/ipc/fd_passing.hpp"

namespace foster::ipc {
namespace {

using Outcome = PacketReader::Outcome;

class Channel : public testing::Test {
 protected:
  void SetUp() override { ASSERT_EQ(make_pair(here_, there_), 0); }

  void add(uint16_t type, const std::string& body, const std::vector<int>& fds = {}) {
    void* at = writer_.add(type, body.size(), fds.data(), fds.size());
    ASSERT_NE(at, nullptr);
    std::memcpy(at, body.data(), body.size());
  }

  Outcome receive() { return reader_.receive(there_.get(), true); }

  static std::string body_of(const Record& record) {
    return {reinterpret_cast<const char*>(record.body), record.size};
  }

  /// Sends bytes that no PacketWriter would make.
  void send_raw(const std::vector<uint32_t>& words) {
    const size_t size = words.size() * sizeof(uint32_t);
    ASSERT_EQ(::send(here_.get(), words.data(), size, 0), static_cast<ssize_t>(size));
  }

  UniqueFd here_;
  UniqueFd there_;
  PacketWriter writer_;
  PacketReader reader_;
};

size_t open_descriptors() {
  return static_cast<size_t>(std::distance(std::filesystem::directory_iterator("/proc/self/fd"),
                                           std::filesystem::directory_iterator()));
}

bool same_file(int one, int other) {
  struct stat a {};
  struct stat b {};
  return fstat(one, &a) == 0 && fstat(other, &b) == 0 && a.st_dev == b.st_dev &&
         a.st_ino == b.st_ino;
}

TEST_F(Channel, RecordsArriveWholeAndInOrder) {
  for (size_t size = 0; size < 40; ++size)
    add(static_cast<uint16_t>(size), std::string(size, static_cast<char>('a' + size % 26)));
  ASSERT_EQ(writer_.send(here_.get(), true), 0);
  EXPECT_TRUE(writer_.empty());
  ASSERT_EQ(receive(), Outcome::packet);
  Record record;
  for (size_t size = 0; size < 40; ++size) {
    ASSERT_TRUE(reader_.next(record));
    EXPECT_EQ(record.type, size);
    EXPECT_EQ(body_of(record), std::string(size, static_cast<char>('a' + size % 26)));
    EXPECT_EQ(reinterpret_cast<uintptr_t>(record.body) % 8, 0U);
  }
  EXPECT_FALSE(reader_.next(record));
  EXPECT_EQ(receive(), Outcome::nothing);
}

TEST_F(Channel, APacketTakesWhatFitsAndNoMore) {
  EXPECT_FALSE(writer_.fits(kPacketMax, 0));
  EXPECT_TRUE(writer_.fits(kPacketMax - sizeof(RecordHeader), 0));
  EXPECT_FALSE(writer_.fits(0, kPacketFdsMax + 1));
  EXPECT_FALSE(writer_.fits(SIZE_MAX, 0));
  size_t added = 0;
  while (writer_.add(1, 1000) != nullptr)
    ++added;
  EXPECT_EQ(added, kPacketMax / 1008);
  ASSERT_EQ(writer_.send(here_.get(), true), 0);
  ASSERT_EQ(receive(), Outcome::packet);
  Record record;
  size_t got = 0;
  while (reader_.next(record))
    ++got;
  EXPECT_EQ(got, added);
}

TEST_F(Channel, DescriptorsBelongToTheirRecords) {
  const UniqueFd null_fd(open("/dev/null", O_RDONLY | O_CLOEXEC));
  const UniqueFd zero(open("/dev/zero", O_RDONLY | O_CLOEXEC));
  const UniqueFd root(open("/", O_RDONLY | O_CLOEXEC));
  add(1, "two", {null_fd.get(), zero.get()});
  add(2, "none");
  add(3, "one", {root.get()});
  ASSERT_EQ(writer_.send(here_.get(), true), 0);
  ASSERT_EQ(receive(), Outcome::packet);
  Record record;
  ASSERT_TRUE(reader_.next(record));
  ASSERT_EQ(record.fd_count, 2U);
  const UniqueFd second = reader_.take_fd(1);
  const UniqueFd first = reader_.take_fd(0);
  EXPECT_TRUE(same_file(first.get(), null_fd.get()));
  EXPECT_TRUE(same_file(second.get(), zero.get()));
  EXPECT_NE(fcntl(first.get(), F_GETFD) & FD_CLOEXEC, 0);
  EXPECT_FALSE(reader_.take_fd(0)) << "taken before";
  ASSERT_TRUE(reader_.next(record));
  EXPECT_EQ(record.fd_count, 0U);
  ASSERT_TRUE(reader_.next(record));
  EXPECT_TRUE(same_file(reader_.take_fd(0).get(), root.get()));
}

TEST_F(Channel, AFullPacketOfDescriptorsArrives) {
  const UniqueFd null_fd(open("/dev/null", O_RDONLY | O_CLOEXEC));
  const std::vector<int> fds(kPacketFdsMax, null_fd.get());
  add(1, "", fds);
  EXPECT_EQ(writer_.add(2, 0, fds.data(), 1), nullptr);
  ASSERT_EQ(writer_.send(here_.get(), true), 0);
  ASSERT_EQ(receive(), Outcome::packet);
  Record record;
  ASSERT_TRUE(reader_.next(record));
  EXPECT_EQ(record.fd_count, kPacketFdsMax);
}

TEST_F(Channel, DescriptorsThatNobodyTakesAreClosed) {
  const size_t before = open_descriptors();
  for (int i = 0; i < 3; ++i) {
    add(1, "unwanted", {here_.get(), there_.get()});
    ASSERT_EQ(writer_.send(here_.get(), true), 0);
    ASSERT_EQ(receive(), Outcome::packet);
  }
  EXPECT_EQ(receive(), Outcome::nothing);
  EXPECT_EQ(open_descriptors(), before);
}

TEST_F(Channel, AFullChannelKeepsThePacketForLater) {
  int error = 0;
  uint16_t sent = 0;
  for (;; ++sent) {
    add(sent, std::string(30'000, 'x'));
    error = writer_.send(here_.get(), true);
    if (error != 0) break;
  }
  EXPECT_EQ(error, EAGAIN);
  EXPECT_FALSE(writer_.empty());
  for (uint16_t i = 0; i < sent; ++i)
    ASSERT_EQ(receive(), Outcome::packet);
  ASSERT_EQ(writer_.send(here_.get(), true), 0);
  ASSERT_EQ(receive(), Outcome::packet);
  Record record;
  ASSERT_TRUE(reader_.next(record));
  EXPECT_EQ(record.type, sent);
  EXPECT_EQ(record.size, 30'000U);
}

TEST_F(Channel, WhatWasSentIsReadBeforeTheEnd) {
  add(1, "last words");
  ASSERT_EQ(writer_.send(here_.get(), true), 0);
  here_.reset();
  ASSERT_EQ(receive(), Outcome::packet);
  EXPECT_EQ(receive(), Outcome::closed);
}

TEST_F(Channel, WhatWasSentIsReadThoughTheSenderHasNotReadItsOwn) {
  PacketWriter answer;
  ASSERT_NE(answer.add(9, 0), nullptr);
  ASSERT_EQ(answer.send(there_.get(), false), 0);
  for (const char* body : {"one", "two"}) {
    add(1, body);
    ASSERT_EQ(writer_.send(here_.get(), false), 0);
  }
  here_.reset();
  for (const char* body : {"one", "two"}) {
    ASSERT_EQ(receive(), Outcome::packet);
    Record record;
    ASSERT_TRUE(reader_.next(record));
    EXPECT_EQ(body_of(record), body);
  }
  EXPECT_EQ(receive(), Outcome::closed);
}

TEST_F(Channel, SendingToNobodyIsAnErrorAndNoSignal) {
  there_.reset();
  add(1, "hello");
  EXPECT_EQ(writer_.send(here_.get(), true), EPIPE);
}

TEST_F(Channel, PacketsThatDoNotAddUpAreDropped) {
  const std::vector<std::vector<uint32_t>> malformed = {
      {8},              // no whole header
      {4, 1},           // smaller than its header
      {0, 1},           //
      {16, 1},          // larger than the packet
      {0xffffffff, 1},  //
      {9, 1, 0},        // padding is missing
      {8, 1, 8},        // half a header behind a whole record
      {8, 0x00010001},  // a descriptor that did not come
  };
  for (const auto& words : malformed) {
    send_raw(words);
    EXPECT_EQ(receive(), Outcome::malformed);
    Record record;
    EXPECT_FALSE(reader_.next(record));
  }
  add(5, "after all this");
  ASSERT_EQ(writer_.send(here_.get(), true), 0);
  EXPECT_EQ(receive(), Outcome::packet);
}

TEST_F(Channel, APacketThatIsTooLongIsDropped) {
  send_raw(std::vector<uint32_t>(kPacketMax / sizeof(uint32_t) + 2, 8));
  EXPECT_EQ(receive(), Outcome::malformed);
}

TEST_F(Channel, APacketWhoseDescriptorsDoNotFitComesWithoutAnyOfThem) {
  // With no room for another descriptor the kernel cuts the list short and says MSG_CTRUNC.
  const size_t before = open_descriptors();
  add(1, "one", {here_.get(), here_.get(), here_.get()});
  add(2, "two");
  ASSERT_EQ(writer_.send(here_.get(), true), 0);
  rlimit limit{};
  getrlimit(RLIMIT_NOFILE, &limit);
  const UniqueFd lowest_free(dup(here_.get()));
  const rlimit tight{static_cast<rlim_t>(lowest_free.get()) + 1, limit.rlim_max};
  setrlimit(RLIMIT_NOFILE, &tight);
  const Outcome outcome = receive();
  setrlimit(RLIMIT_NOFILE, &limit);
  EXPECT_EQ(outcome, Outcome::packet);
  EXPECT_EQ(open_descriptors(), before + 1);
  Record record;
  ASSERT_TRUE(reader_.next(record));
  ASSERT_EQ(record.fd_count, 3U);
  EXPECT_FALSE(reader_.take_fd(0));
  EXPECT_FALSE(reader_.take_fd(2));
  ASSERT_TRUE(reader_.next(record));
  EXPECT_EQ(record.type, 2);
  EXPECT_EQ(record.size, 3U);
  EXPECT_EQ(receive(), Outcome::nothing);
}

TEST_F(Channel, ARecordOfMoreDescriptorsThanAPacketHasIsDropped) {
  // Without the descriptors there is nothing to compare the number with.
  int fds[] = {here_.get()};
  uint32_t header[2] = {8, (65'535U << 16) | 1};
  iovec bytes{header, sizeof header};
  RightsRoom<1> room;
  msghdr message{};
  message.msg_iov = &bytes;
  message.msg_iovlen = 1;
  attach_rights(message, room.bytes, fds, 1);
  ASSERT_EQ(sendmsg(here_.get(), &message, 0), static_cast<ssize_t>(sizeof header));
  rlimit limit{};
  getrlimit(RLIMIT_NOFILE, &limit);
  const UniqueFd lowest_free(dup(here_.get()));
  const rlimit tight{static_cast<rlim_t>(lowest_free.get()) + 1, limit.rlim_max};
  setrlimit(RLIMIT_NOFILE, &tight);
  const Outcome outcome = receive();
  setrlimit(RLIMIT_NOFILE, &limit);
  EXPECT_EQ(outcome, Outcome::malformed);
}

TEST_F(Channel, APairIsClosedOnExec) {
  EXPECT_NE(fcntl(here_.get(), F_GETFD) & FD_CLOEXEC, 0);
  EXPECT_NE(fcntl(there_.get(), F_GETFD) & FD_CLOEXEC, 0);
}

}  // namespace
}  // namespace foster::ipc
