#include "daemon/probe/options.hpp"

#include <gtest/gtest.h>

namespace foster::probe {
namespace {

std::string message_of(const std::vector<std::string>& arguments) {
  const auto parsed = parse_options(arguments);
  return parsed ? "" : parsed.error().message;
}

TEST(ProbeOptions, HostsAndPorts) {
  const auto name = parse_options({"tcp", "db.example:5432"});
  ASSERT_TRUE(name);
  EXPECT_EQ(std::get<TcpTarget>(name->target).host, "db.example");
  EXPECT_EQ(std::get<TcpTarget>(name->target).port, "5432");
  EXPECT_EQ(name->timeout_ms, 5000u);
  const auto address = parse_options({"tcp", "[fe80::1%lo]:1", "--timeout", "250"});
  ASSERT_TRUE(address);
  EXPECT_EQ(std::get<TcpTarget>(address->target).host, "fe80::1%lo");
  EXPECT_EQ(address->timeout_ms, 250u);
}

TEST(ProbeOptions, HttpHasAStatus) {
  const auto parsed = parse_options({"http", "http://[::1]:80/up", "--status", "204"});
  ASSERT_TRUE(parsed);
  EXPECT_EQ(std::get<HttpTarget>(parsed->target).url, "http://[::1]:80/up");
  EXPECT_EQ(std::get<HttpTarget>(parsed->target).status, 204);
}

TEST(ProbeOptions, WhatIsWrongIsSaid) {
  EXPECT_EQ(message_of({}), "what to probe is missing");
  EXPECT_EQ(message_of({"tcp"}), "what to probe is missing");
  EXPECT_EQ(message_of({"udp", "a:1"}), "'udp' is none of tcp, unix and http");
  EXPECT_EQ(message_of({"tcp", "localhost"}), "'localhost' is not HOST:PORT");
  EXPECT_EQ(message_of({"tcp", ":80"}), "':80' is not HOST:PORT");
  EXPECT_EQ(message_of({"tcp", "[]:80"}), "'[]:80' has no host");
  EXPECT_EQ(message_of({"tcp", "::1:80"}),
            "'::1:80': an IPv6 address is written in brackets, as in [::1]:80");
  EXPECT_EQ(message_of({"tcp", "a:0"}), "'0' is no port from 1 to 65535");
  EXPECT_EQ(message_of({"tcp", "a:65536"}), "'65536' is no port from 1 to 65535");
  EXPECT_EQ(message_of({"tcp", "a:8o"}), "'8o' is no port from 1 to 65535");
  EXPECT_EQ(message_of({"unix", ""}), "the path of a socket is empty");
  EXPECT_EQ(message_of({"http", "ftp://a/"}),
            "'ftp://a/' begins with neither http:// nor https://");
  EXPECT_EQ(message_of({"tcp", "a:1", "--status", "200"}), "'--status' is not understood here");
  EXPECT_EQ(message_of({"http", "http://a", "--status", "42"}), "'42' is no status of HTTP");
  EXPECT_EQ(message_of({"tcp", "a:1", "--timeout", "0"}), "'0' is no timeout in milliseconds");
  EXPECT_EQ(message_of({"tcp", "a:1", "--timeout"}), "'--timeout' has no value");
}

}  // namespace
}  // namespace foster::probe
