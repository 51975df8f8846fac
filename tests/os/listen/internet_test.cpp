// Sockets of tcp, udp and vsock: their options, and what is said when they cannot be had.

#include <cerrno>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/os/listen/own_network.hpp"

namespace foster {
namespace {

using testing::as_ordinary_user;
using testing::connected;
using testing::opened;
using testing::option;
using testing::refused;
using testing::spec_of;
using testing::this_process;

class Internet : public testing::OwnNetwork {};

TEST_F(Internet, ASocketListensBlocksAndIsNotInherited) {
  const UniqueFd fd = opened("tcp://127.0.0.1:80");
  EXPECT_TRUE(is_listening(fd.get()));
  EXPECT_EQ(bound_port(fd.get()), 80);
  EXPECT_EQ(fcntl(fd.get(), F_GETFL) & O_NONBLOCK, 0);
  EXPECT_EQ(fcntl(fd.get(), F_GETFD), FD_CLOEXEC);
  EXPECT_TRUE(connected("tcp://127.0.0.1:80"));
  EXPECT_EQ(option(fd.get(), SOL_SOCKET, SO_REUSEADDR), 1);
  EXPECT_EQ(option(fd.get(), SOL_SOCKET, SO_REUSEPORT), 0);
}

TEST_F(Internet, OneThatFosterAcceptsFromDoesNotBlock) {
  SocketSpec spec = spec_of("tcp://127.0.0.1:80");
  spec.accept = true;
  EXPECT_NE(fcntl(opened(spec).get(), F_GETFL) & O_NONBLOCK, 0);
}

TEST_F(Internet, ThePortMayBeTheKernelsChoice) {
  const UniqueFd one = opened("tcp://*:0");
  const UniqueFd other = opened("udp://127.0.0.1:0");
  EXPECT_GT(bound_port(one.get()), 0);
  EXPECT_GT(bound_port(other.get()), 0);
  EXPECT_FALSE(is_listening(other.get()));
}

TEST_F(Internet, AStarIsEveryAddressOfBothKinds) {
  const UniqueFd fd = opened("tcp://*:80");
  EXPECT_TRUE(connected("tcp://127.0.0.1:80"));
  EXPECT_TRUE(connected("tcp://[::1]:80"));
}

TEST_F(Internet, AV6AddressMayLeaveV4Out) {
  SocketSpec spec = spec_of("tcp://[::]:80");
  {
    const UniqueFd both = opened(spec);
    EXPECT_TRUE(connected("tcp://127.0.0.1:80"));
  }
  spec.ipv6_only = true;
  const UniqueFd only = opened(spec);
  EXPECT_FALSE(connected("tcp://127.0.0.1:80"));
  EXPECT_EQ(errno, ECONNREFUSED);
  EXPECT_TRUE(connected("tcp://[::1]:80"));
  EXPECT_TRUE(opened("tcp://0.0.0.0:80"));
}

TEST_F(Internet, EveryOption) {
  SocketSpec spec = spec_of("tcp://[::]:80");
  spec.reuse_port = spec.keep_alive = spec.no_delay = spec.transparent = spec.free_bind = true;
  spec.device = "lo";
  spec.receive_buffer = 1000 * 1000;
  const UniqueFd fd = opened(spec);
  EXPECT_EQ(option(fd.get(), SOL_SOCKET, SO_REUSEPORT), 1);
  EXPECT_EQ(option(fd.get(), SOL_SOCKET, SO_KEEPALIVE), 1);
  EXPECT_EQ(option(fd.get(), IPPROTO_TCP, TCP_NODELAY), 1);
  EXPECT_EQ(option(fd.get(), IPPROTO_IP, IP_TRANSPARENT), 1);
  EXPECT_EQ(option(fd.get(), IPPROTO_IPV6, IPV6_TRANSPARENT), 1);
  EXPECT_EQ(option(fd.get(), IPPROTO_IP, IP_FREEBIND), 1);
  EXPECT_EQ(option(fd.get(), IPPROTO_IPV6, IPV6_FREEBIND), 1);
  EXPECT_EQ(option(fd.get(), SOL_SOCKET, SO_RCVBUF), 2 * 1000 * 1000);
  char device[16] = "";
  socklen_t size = sizeof device;
  EXPECT_EQ(getsockopt(fd.get(), SOL_SOCKET, SO_BINDTODEVICE, device, &size), 0);
  EXPECT_STREQ(device, "lo");
  const UniqueFd beside = opened(spec);
  EXPECT_TRUE(beside);
}

TEST_F(Internet, TheBacklogHolds) {
  SocketSpec spec = spec_of("tcp://127.0.0.1:80");
  spec.backlog = 7;
  tcp_info info{};
  socklen_t size = sizeof info;
  const UniqueFd fd = opened(spec);
  ASSERT_EQ(getsockopt(fd.get(), IPPROTO_TCP, TCP_INFO, &info, &size), 0);
  EXPECT_EQ(info.tcpi_sacked, 7U);  // of a listening socket: the longest that its queue gets
}

TEST_F(Internet, WhoHasThePortIsTold) {
  const UniqueFd tcp = opened("tcp://127.0.0.1:80");
  const UniqueFd udp = opened("udp://*:53");
  const std::string who = ": already in use by " + this_process();
  for (const char* same : {"tcp://127.0.0.1:80", "tcp://0.0.0.0:80", "tcp://*:80", "udp://*:53",
                           "udp://[::1]:53", "udp://127.0.0.1:53"})
    EXPECT_EQ(refused(same), "cannot listen on " + std::string(same) + who);
  EXPECT_TRUE(opened("tcp://[::1]:80"));
}

TEST_F(Internet, AConnectionOfAFormerRunIsNotInTheWay) {
  UniqueFd fd = opened("tcp://127.0.0.1:80");
  const UniqueFd client = connected("tcp://127.0.0.1:80");
  // Whoever closes first waits (TIME_WAIT), here the server.
  UniqueFd served(accept4(fd.get(), nullptr, nullptr, SOCK_CLOEXEC));
  fd.reset();
  served.reset();
  EXPECT_TRUE(opened("tcp://127.0.0.1:80"));
}

TEST_F(Internet, AnAddressThatIsNotOurs) {
  SocketSpec spec = spec_of("tcp://10.9.8.7:80");
  EXPECT_EQ(refused(spec),
            "cannot listen on tcp://10.9.8.7:80: no interface has this address: see free-bind");
  EXPECT_EQ(
      refused("udp://[2001:db8::1]:80"),
      "cannot listen on udp://[2001:db8::1]:80: no interface has this address: see free-bind");
  spec.free_bind = true;
  EXPECT_TRUE(opened(spec));
}

TEST_F(Internet, AnInterfaceThatIsNotThere) {
  SocketSpec spec = spec_of("tcp://*:80");
  spec.device = "eth77";
  EXPECT_EQ(refused(spec), "cannot listen on tcp://*:80: there is no interface eth77");
  EXPECT_EQ(refused("tcp://[fe80::1%eth77]:80"),
            "cannot listen on tcp://[fe80::1%eth77]:80: there is no interface eth77");
}

TEST_F(Internet, WhatOnlyRootMay) {
  EXPECT_EQ(as_ordinary_user([] { return refused("tcp://*:80"); }),
            "cannot listen on tcp://*:80: Permission denied: ports below 1024 are for root");
  SocketSpec spec = spec_of("tcp://*:8080");
  spec.transparent = true;
  EXPECT_EQ(as_ordinary_user([&] { return refused(spec); }),
            "cannot listen on tcp://*:8080: cannot set transparent: Operation not permitted");
}

TEST_F(Internet, TooManyDescriptors) {
  rlimit before{};
  ASSERT_EQ(getrlimit(RLIMIT_NOFILE, &before), 0);
  const rlimit none{0, before.rlim_max};
  ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &none), 0);
  const std::string said = refused("tcp://*:80");
  ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &before), 0);
  EXPECT_EQ(said, "cannot listen on tcp://*:80: Too many open files");
}

TEST_F(Internet, BetweenMachines) {
  const SocketSpec spec = spec_of("vsock://any:4711");
  const Result<UniqueFd> fd = open_socket(spec);
  if (!fd && fd.error().system_error == EAFNOSUPPORT) GTEST_SKIP() << "the kernel has no vsock";
  ASSERT_TRUE(fd) << fd.error().message;
  EXPECT_TRUE(is_listening(fd->get()));
  EXPECT_EQ(bound_port(fd->get()), 4711);
  EXPECT_EQ(descriptor_text(fd->get()), "vsock any:4711, listening");
  EXPECT_TRUE(fits_spec(fd->get(), spec));
}

}  // namespace
}  // namespace foster
