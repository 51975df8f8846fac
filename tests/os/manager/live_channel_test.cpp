#include "daemon/manager/live_channel.hpp"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "tests/os/manager/rig.hpp"

namespace foster::manager {
namespace {

struct Came {
  std::string name;
  UniqueFd fd;
};

/// What has come to a service's end, without waiting; nothing: an empty name.
Came receive(int channel) {
  Came came;
  char text[kLiveNameMax + 1];
  alignas(cmsghdr) char rights[CMSG_SPACE(4 * sizeof(int))];
  iovec content{text, sizeof text};
  msghdr message{};
  message.msg_iov = &content;
  message.msg_iovlen = 1;
  message.msg_control = rights;
  message.msg_controllen = sizeof rights;
  const ssize_t length = recvmsg(channel, &message, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
  if (length <= 0) return came;
  came.name.assign(text, static_cast<size_t>(length));
  const cmsghdr* header = CMSG_FIRSTHDR(&message);
  if (header == nullptr || header->cmsg_len != CMSG_LEN(sizeof(int))) return came;
  int fd = -1;
  std::memcpy(&fd, CMSG_DATA(header), sizeof fd);
  came.fd.reset(fd);
  return came;
}

bool same_file(int one, int other) {
  struct stat first {};
  struct stat second {};
  return fstat(one, &first) == 0 && fstat(other, &second) == 0 && first.st_ino == second.st_ino;
}

class Live : public Rig {
 protected:
  Live() {
    begin(true);
    channels_ = std::make_unique<LiveChannels>(*keeper_, core().set());
  }

  void begin(bool receives) {
    UnitSpec unit;
    unit.name = "web";
    unit.descriptors.make().receive_live = receives;
    set_unit(std::move(unit), core::UnitRecord{});
  }

  UniqueFd open(uint64_t attempt, bool beside = false) {
    Result<UniqueFd> end = channels_->open({0}, {attempt}, beside);
    EXPECT_TRUE(end);
    return end ? std::move(*end) : UniqueFd();
  }

  /// As a successor of a manager that has died.
  void take_over() {
    std::vector<HandedDescriptor> found = kept();
    channels_ = std::make_unique<LiveChannels>(*keeper_, core().set());
    channels_->attach(found);
  }

  std::vector<std::string> kept_names() {
    keeper_->flush();
    std::vector<std::string> names;
    for (const HandedDescriptor& held : kept())
      names.push_back(held.name);
    return names;
  }

  std::unique_ptr<LiveChannels> channels_;
  UniqueFd file_{memfd_create("passed", MFD_CLOEXEC)};
};

using Names = std::vector<std::string>;

TEST_F(Live, APacketForEachWithItsName) {
  const UniqueFd service = open(7);
  EXPECT_TRUE(channels_->send({0}, "http", file_.get()));
  EXPECT_TRUE(channels_->send({0}, std::string(kLiveNameMax, 'x'), file_.get()));
  const Came first = receive(service.get());
  EXPECT_EQ(first.name, "http");
  EXPECT_TRUE(same_file(first.fd.get(), file_.get()));
  EXPECT_EQ(receive(service.get()).name, std::string(kLiveNameMax, 'x'));
  EXPECT_EQ(receive(service.get()).name, "");
}

TEST_F(Live, WhatNobodyReadsIsNeverWaitedFor) {
  const UniqueFd service = open(7);
  size_t sent = 0;
  while (channels_->send({0}, "http", file_.get())) {
    ASSERT_LT(++sent, 100'000u) << "the socket takes without end";
  }
  EXPECT_GT(sent, 10u);
  EXPECT_EQ(receive(service.get()).name, "http");
  for (size_t i = 1; i < sent; ++i)
    ASSERT_EQ(receive(service.get()).name, "http");
  EXPECT_TRUE(channels_->send({0}, "again", file_.get())) << "room is room again";
  EXPECT_EQ(receive(service.get()).name, "again");
}

TEST_F(Live, WithoutAServiceNobodyHasIt) {
  EXPECT_FALSE(channels_->send({0}, "http", file_.get()));
  open(7);  // and closed
  EXPECT_FALSE(channels_->send({0}, "http", file_.get()));
  EXPECT_EQ(kept_names(), Names{});
}

TEST_F(Live, TheKeeperHoldsItForTheNextManager) {
  const UniqueFd service = open(7);
  EXPECT_EQ(kept_names(), Names{"live:7:web"});
  EXPECT_TRUE(channels_->send({0}, "before", file_.get()));
  take_over();
  EXPECT_TRUE(channels_->send({0}, "after", file_.get()));
  EXPECT_EQ(receive(service.get()).name, "before");
  EXPECT_EQ(receive(service.get()).name, "after");
}

TEST_F(Live, WhatHasEndedMeanwhileIsNotHeldAnyMore) {
  open(7);
  take_over();
  EXPECT_EQ(kept_names(), Names{});
}

TEST_F(Live, AUnitThatReceivesNothingLiveAnyMore) {
  const UniqueFd service = open(7);
  begin(false);
  take_over();
  EXPECT_EQ(kept_names(), Names{});
  EXPECT_FALSE(channels_->send({0}, "http", file_.get()));
}

TEST_F(Live, TwoProcessesBesideEachOtherBothHaveIt) {
  const UniqueFd old = open(7);
  UniqueFd successor = open(8, true);
  EXPECT_TRUE(channels_->send({0}, "http", file_.get()));
  EXPECT_EQ(receive(old.get()).name, "http");
  EXPECT_EQ(receive(successor.get()).name, "http");
  successor.reset();
  channels_->close_ended({0});
  EXPECT_EQ(kept_names(), Names{"live:7:web"});
}

TEST_F(Live, TheNextProcessIsTheOnlyOne) {
  const UniqueFd lingering = open(7);  // whatever has inherited it
  const UniqueFd next = open(8);
  EXPECT_EQ(kept_names(), Names{"live:8:web"});
  EXPECT_TRUE(channels_->send({0}, "http", file_.get()));
  EXPECT_EQ(receive(next.get()).name, "http");
  EXPECT_EQ(receive(lingering.get()).name, "");
}

TEST_F(Live, WhatAServiceWritesIsRefused) {
  const UniqueFd service = open(7);
  EXPECT_EQ(send(service.get(), "x", 1, MSG_NOSIGNAL | MSG_DONTWAIT), -1);
  EXPECT_EQ(errno, EPIPE);
  EXPECT_TRUE(channels_->send({0}, "http", file_.get()));
}

}  // namespace
}  // namespace foster::manager
