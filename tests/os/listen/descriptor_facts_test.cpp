// What a descriptor is, and whether it is what a unit asks for.

#include <cerrno>
#include <fcntl.h>
#include <filesystem>
#include <fstream>
#include <netinet/in.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/listen/socket_address.hpp"
#include "tests/os/listen/own_network.hpp"

namespace foster {
namespace {

using testing::connected;
using testing::opened;
using testing::spec_of;

class Facts : public testing::OwnNetwork {};
class FactsOfFiles : public testing::OwnFolder {};

TEST_F(Facts, OfSockets) {
  const UniqueFd tcp = opened("tcp://127.0.0.1:80");
  EXPECT_EQ(descriptor_text(tcp.get()), "tcp 127.0.0.1:80, listening");
  EXPECT_EQ(descriptor_text(opened("tcp://*:81").get()), "tcp [::]:81, listening");
  EXPECT_EQ(descriptor_text(opened("udp://[::1]:53").get()), "udp [::1]:53");
  const UniqueFd client = connected("tcp://127.0.0.1:80");
  const UniqueFd served(accept4(tcp.get(), nullptr, nullptr, SOCK_CLOEXEC));
  const std::string port = std::to_string(bound_port(client.get()));
  EXPECT_EQ(descriptor_text(client.get()), "tcp 127.0.0.1:" + port + ", connected to 127.0.0.1:80");
  EXPECT_EQ(descriptor_text(served.get()), "tcp 127.0.0.1:80, connected to 127.0.0.1:" + port);
  int pair[2];
  ASSERT_EQ(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair), 0);
  const UniqueFd one(pair[0]);
  const UniqueFd other(pair[1]);
  EXPECT_EQ(descriptor_text(one.get()), "unix-seqpacket, connected");
  const UniqueFd netlink(socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, 0));
  EXPECT_EQ(descriptor_text(netlink.get()), "netlink");
}

TEST_F(FactsOfFiles, OfEverythingElse) {
  std::ofstream(path("x")) << "text";
  const UniqueFd file(open(path("x").c_str(), O_RDONLY | O_CLOEXEC));
  EXPECT_EQ(descriptor_text(file.get()), "file " + path("x"));
  const UniqueFd folder(open(folder_.c_str(), O_RDONLY | O_CLOEXEC | O_DIRECTORY));
  EXPECT_EQ(descriptor_text(folder.get()), "directory " + folder_);
  const UniqueFd null(open("/dev/null", O_RDONLY | O_CLOEXEC));
  EXPECT_EQ(descriptor_text(null.get()), "device /dev/null");
  const UniqueFd memory(memfd_create("a name", MFD_CLOEXEC));
  EXPECT_EQ(descriptor_text(memory.get()), "memfd a name");
  const UniqueFd event(eventfd(0, EFD_CLOEXEC));
  EXPECT_EQ(descriptor_text(event.get()), "eventfd");
  const UniqueFd poll(epoll_create1(EPOLL_CLOEXEC));
  EXPECT_EQ(descriptor_text(poll.get()), "eventpoll");
  int ends[2];
  ASSERT_EQ(pipe2(ends, O_CLOEXEC), 0);
  const UniqueFd read_end(ends[0]);
  const UniqueFd write_end(ends[1]);
  EXPECT_EQ(descriptor_text(read_end.get()), "pipe");
  EXPECT_EQ(descriptor_text(-1), "no descriptor");
  for (const UniqueFd* fd : {&file, &folder, &memory, &event, &read_end}) {
    EXPECT_EQ(bound_port(fd->get()), 0);
    EXPECT_FALSE(is_listening(fd->get()));
    EXPECT_FALSE(fits_spec(fd->get(), spec_of("tcp://*:80")));
    EXPECT_FALSE(fits_spec(fd->get(), spec_of(at("fifo", "x"))));
    EXPECT_FALSE(fits_spec(fd->get(), spec_of(at("unix", "x"))));
  }
}

TEST_F(Facts, WhatFits) {
  const UniqueFd tcp = opened("tcp://127.0.0.1:80");
  EXPECT_TRUE(fits_spec(tcp.get(), spec_of("tcp://127.0.0.1:80")));
  EXPECT_TRUE(fits_spec(tcp.get(), spec_of("tcp://localhost:0")));
  for (const char* other :
       {"tcp://127.0.0.1:81", "tcp://127.0.0.2:80", "tcp://*:80", "tcp://0.0.0.0:80",
        "tcp://[::1]:80", "udp://127.0.0.1:80", "unix:///run/x", "fifo:///run/x"})
    EXPECT_FALSE(fits_spec(tcp.get(), spec_of(other))) << other;
  const UniqueFd any = opened("tcp://*:81");
  EXPECT_TRUE(fits_spec(any.get(), spec_of("tcp://*:81")));
  EXPECT_TRUE(fits_spec(any.get(), spec_of("tcp://[::]:81")));
  EXPECT_FALSE(fits_spec(any.get(), spec_of("tcp://[::1]:81")));
  SocketSpec only = spec_of("tcp://[::]:81");
  only.ipv6_only = true;
  EXPECT_FALSE(fits_spec(any.get(), only));
  const UniqueFd v4 = opened("udp://0.0.0.0:53");
  EXPECT_TRUE(fits_spec(v4.get(), spec_of("udp://0.0.0.0:53")));
  // So it is on a machine without IPv6.
  EXPECT_TRUE(fits_spec(v4.get(), spec_of("udp://*:53")));
}

TEST_F(Facts, WhatDoesNotListenDoesNotFit) {
  const auto name = socket_address(*parse_listen_address("tcp://127.0.0.1:90"));
  const UniqueFd fd(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  ASSERT_EQ(bind(fd.get(), name->get(), name->size), 0);
  EXPECT_FALSE(fits_spec(fd.get(), spec_of("tcp://127.0.0.1:90")));
  ASSERT_EQ(listen(fd.get(), 1), 0);
  EXPECT_TRUE(fits_spec(fd.get(), spec_of("tcp://127.0.0.1:90")));
  const UniqueFd client = connected("tcp://127.0.0.1:90");
  const UniqueFd served(accept4(fd.get(), nullptr, nullptr, SOCK_CLOEXEC));
  EXPECT_FALSE(fits_spec(served.get(), spec_of("tcp://127.0.0.1:90")));
}

}  // namespace
}  // namespace foster
