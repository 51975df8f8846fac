// Where a socket listens: what is understood, what is said of the rest, and what stands in whose
// way.

#include <gtest/gtest.h>

#include "common/unit/ip_text.hpp"
#include "common/unit/listen_address.hpp"

namespace foster {
namespace {

/// The normal form, or what is wrong with which part.
std::string read(const std::string& text) {
  const auto address = read_listen_address(text);
  if (address) {
    EXPECT_EQ(listen_text(*parse_listen_address(listen_text(*address))), listen_text(*address));
    return listen_text(*address);
  }
  const ListenMistake& mistake = address.error();
  EXPECT_LE(mistake.offset, text.size());
  return text.substr(mistake.offset, mistake.length) + ": " + mistake.message;
}

TEST(ListenAddress, WhatIsUnderstood) {
  EXPECT_EQ(read("tcp://127.0.0.1:80"), "tcp://127.0.0.1:80");
  EXPECT_EQ(read("tcp://localhost:80"), "tcp://127.0.0.1:80");
  EXPECT_EQ(read("tcp://:80"), "tcp://*:80");
  EXPECT_EQ(read("udp://*:65535"), "udp://*:65535");
  EXPECT_EQ(read("tcp://0.0.0.0:0"), "tcp://0.0.0.0:0");
  EXPECT_EQ(read("udp://[0:0:0:0:0:0:0:1]:53"), "udp://[::1]:53");
  EXPECT_EQ(read("tcp://[FE80::1%eth0]:80"), "tcp://[fe80::1%eth0]:80");
  EXPECT_EQ(read("unix:///run/x.sock"), "unix:///run/x.sock");
  EXPECT_EQ(read("unix-dgram://@name"), "unix-dgram://@name");
  EXPECT_EQ(read("unix-seqpacket:///run/x"), "unix-seqpacket:///run/x");
  EXPECT_EQ(read("fifo:///run/x"), "fifo:///run/x");
  EXPECT_EQ(read("vsock://any:1234"), "vsock://any:1234");
  EXPECT_EQ(read("vsock://:1234"), "vsock://any:1234");
  EXPECT_EQ(read("vsock://2:4294967294"), "vsock://2:4294967294");
  EXPECT_EQ(read("unix:///" + std::string(106, 'x')), "unix:///" + std::string(106, 'x'));
  EXPECT_EQ(read("unix://@" + std::string(107, 'x')), "unix://@" + std::string(107, 'x'));
}

TEST(ListenAddress, WhatIsMeantWithoutAKind) {
  EXPECT_EQ(read("8080"), "8080: write \"tcp://*:8080\"");
  EXPECT_EQ(read("127.0.0.1:80"), "127.0.0.1:80: write \"tcp://127.0.0.1:80\"");
  EXPECT_EQ(read("/run/x"), "/run/x: write \"unix:///run/x\"");
  EXPECT_EQ(read("@x"), "@x: write \"unix://@x\"");
  EXPECT_EQ(read("fifo:/run/x"), "fifo:/run/x: write \"fifo:///run/x\"");
  const std::string unclear =
      ": it begins with what kind of socket it is, such as tcp:// or unix://";
  EXPECT_EQ(read("web"), "web" + unclear);
  EXPECT_EQ(read(""), unclear);
}

TEST(ListenAddress, WhatIsWrongWithIt) {
  EXPECT_EQ(read("tpc://*:80"), "tpc: `tpc` is no kind of socket; did you mean `tcp`?");
  EXPECT_EQ(read("http://*:80"),
            "http: `http` is no kind of socket; known are tcp, udp, unix, unix-dgram, "
            "unix-seqpacket, fifo or vsock");
  EXPECT_EQ(read("tcp://127.0.0.1"), "127.0.0.1: a port is missing: write \"tcp://*:8080\"");
  EXPECT_EQ(read("udp://[::1]"), "[::1]: a port is missing: write \"udp://*:8080\"");
  EXPECT_EQ(read("tcp://*:"), ":: a port is missing: write \"tcp://*:8080\"");
  EXPECT_EQ(read("tcp://"), "tcp://: a port is missing: write \"tcp://*:8080\"");
  EXPECT_EQ(read("tcp://*:65536"), "65536: `65536` is no port: a number from 0 to 65535");
  EXPECT_EQ(read("tcp://*:http"), "http: `http` is no port: a number from 0 to 65535");
  EXPECT_EQ(read("tcp://*:80/"), "80/: `80/` is no port: a number from 0 to 65535");
  EXPECT_EQ(read("tcp://::1:80"), "::1: an IPv6 address stands in brackets: [::1]");
  EXPECT_EQ(read("tcp://[::1:80"), "[::1: an IPv6 address stands in brackets: [::1]");
  EXPECT_EQ(read("tcp://::1]:80"), "::1]: an IPv6 address stands in brackets: [::1]");
  EXPECT_EQ(read("tcp://[::1::]:80"), "::1::: `::1::` is no IPv6 address");
  EXPECT_EQ(read("tcp://[]:80"), "tcp://[]:80: `` is no IPv6 address");
  EXPECT_EQ(read("tcp://example.org:80"),
            "example.org: `example.org` is no address of numbers such as 127.0.0.1, no [::1] and "
            "no *; names are not looked up");
  EXPECT_EQ(
      read("tcp://[fe80::1]:80"),
      "fe80::1: an address of one link needs its interface: [fe80::1%eth0], and %% for % in a unit "
      "file");
  EXPECT_EQ(read("tcp://[fe80::1%]:80"), "%: `` cannot be the name of an interface");
  EXPECT_EQ(read("unix://run/x"), "run/x: a path begins with a /: write \"unix:///run/x\"");
  EXPECT_EQ(read("unix://"), "unix://: a path is missing: write \"unix:///run/x\"");
  EXPECT_EQ(read("unix:///run/"), "/run/: a path that ends in / is that of a directory");
  EXPECT_EQ(read("unix://@"), "@: a name is missing behind the @");
  EXPECT_EQ(read("fifo://@x"), "@x: a path begins with a /: write \"fifo:///@x\"");
  const std::string path(108, '/');
  EXPECT_EQ(read("unix://" + path + "x"), path + "x: it has 109 bytes, and a path has at most 107");
  EXPECT_EQ(read("vsock://host:1"), "host: `host` is no number of a machine, and not \"any\"");
  EXPECT_EQ(read("vsock://any:4294967295"), "4294967295: `4294967295` is no port");
  EXPECT_EQ(read("vsock://any"), "vsock://any: a port is missing: write \"vsock://any:1234\"");
  EXPECT_EQ(read(std::string("unix:///a\0b", 11)),
            std::string("\0: a NUL character cannot be in it", 34));
}

TEST(IpText, V4) {
  EXPECT_EQ(parse_ipv4("1.20.255.0"), (Ipv4Bytes{1, 20, 255, 0}));
  for (const char* wrong : {"", "1.2.3", "1.2.3.4.5", "1.2.3.256", "01.2.3.4", "1.2.3.", "1..3.4",
                            "1.2.3.4 ", "+1.2.3.4", "1.2.3.0x4"})
    EXPECT_FALSE(parse_ipv4(wrong)) << wrong;
}

std::string v6(const char* text) {
  const auto address = parse_ipv6(text);
  return address ? ipv6_text(*address) : "none";
}

TEST(IpText, V6) {
  EXPECT_EQ(v6("::"), "::");
  EXPECT_EQ(v6("::1"), "::1");
  EXPECT_EQ(v6("1::"), "1::");
  EXPECT_EQ(v6("2001:0DB8:0:0:1:0:0:1"), "2001:db8::1:0:0:1");
  EXPECT_EQ(v6("1:0:3:4:5:6:7:8"), "1:0:3:4:5:6:7:8");
  EXPECT_EQ(v6("1:2:3:4:5:6:7:8"), "1:2:3:4:5:6:7:8");
  EXPECT_EQ(v6("::ffff:1.2.3.4"), "::ffff:102:304");
  EXPECT_EQ(v6("1:2:3:4:5:6:1.2.3.4"), "1:2:3:4:5:6:102:304");
  for (const char* wrong : {"", ":", ":::", "1", "1:2:3:4:5:6:7", "1:2:3:4:5:6:7:8:9", "1::2::3",
                            "12345::", "1:2:3:4:5:6:7:1.2.3.4", "1.2.3.4::", "::1.2.3.4:5",
                            ":1::", "1:2:3:4:5:6:7::8", "g::", "::1 "})
    EXPECT_EQ(v6(wrong), "none") << wrong;
}

bool in_the_way(const std::string& one, const std::string& other, bool one_only = false,
                bool other_only = false) {
  const auto first = parse_listen_address(one);
  const auto second = parse_listen_address(other);
  const bool is = collide(*first, one_only, *second, other_only);
  EXPECT_EQ(collide(*second, other_only, *first, one_only), is);
  return is;
}

TEST(ListenAddress, WhatStandsInWhoseWay) {
  EXPECT_TRUE(in_the_way("tcp://1.2.3.4:80", "tcp://1.2.3.4:80"));
  EXPECT_FALSE(in_the_way("tcp://1.2.3.4:80", "tcp://1.2.3.5:80"));
  EXPECT_FALSE(in_the_way("tcp://1.2.3.4:80", "tcp://1.2.3.4:81"));
  EXPECT_FALSE(in_the_way("tcp://1.2.3.4:80", "udp://1.2.3.4:80"));
  EXPECT_TRUE(in_the_way("tcp://1.2.3.4:80", "tcp://0.0.0.0:80"));
  EXPECT_TRUE(in_the_way("tcp://1.2.3.4:80", "tcp://*:80"));
  EXPECT_TRUE(in_the_way("tcp://[::1]:80", "tcp://*:80"));
  EXPECT_TRUE(in_the_way("tcp://1.2.3.4:80", "tcp://[::]:80"));
  EXPECT_FALSE(in_the_way("tcp://1.2.3.4:80", "tcp://[::]:80", false, true));
  EXPECT_TRUE(in_the_way("tcp://0.0.0.0:80", "tcp://[::]:80"));
  EXPECT_FALSE(in_the_way("tcp://0.0.0.0:80", "tcp://[::]:80", false, true));
  EXPECT_TRUE(in_the_way("tcp://[::]:80", "tcp://[::]:80", true, true));
  EXPECT_FALSE(in_the_way("tcp://[::1]:80", "tcp://0.0.0.0:80"));
  EXPECT_FALSE(in_the_way("tcp://*:0", "tcp://*:0"));
  EXPECT_TRUE(in_the_way("unix:///a", "fifo:///a"));
  EXPECT_FALSE(in_the_way("unix:///a", "unix:///b"));
  EXPECT_TRUE(in_the_way("unix://@a", "unix://@a"));
  EXPECT_FALSE(in_the_way("unix://@a", "unix-dgram://@a"));
  EXPECT_TRUE(in_the_way("vsock://any:1", "vsock://3:1"));
  EXPECT_FALSE(in_the_way("vsock://2:1", "vsock://3:1"));
}

}  // namespace
}  // namespace foster
