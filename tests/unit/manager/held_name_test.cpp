#include "daemon/manager/held_name.hpp"

#include <gtest/gtest.h>

#include "daemon/protocol/keeper_protocol.hpp"

namespace foster::manager {
namespace {

HeldName full() {
  return {.origin = Origin::passed,
          .poll = true,
          .given = true,
          .file_was_there = true,
          .serial = 18446744073709551615ULL,
          .since_real_ns = 1'700'000'000'123'456'789,
          .unit = "db:worker@a.b-c_9",
          .name = "http",
          .from = "uid 0, process 17: by hand"};
}

void expect_same(const HeldName& one, const HeldName& other) {
  EXPECT_EQ(one.origin, other.origin);
  EXPECT_EQ(one.poll, other.poll);
  EXPECT_EQ(one.given, other.given);
  EXPECT_EQ(one.file_was_there, other.file_was_there);
  EXPECT_EQ(one.serial, other.serial);
  EXPECT_EQ(one.since_real_ns, other.since_real_ns);
  EXPECT_EQ(one.unit, other.unit);
  EXPECT_EQ(one.name, other.name);
  EXPECT_EQ(one.from, other.from);
}

TEST(HeldName, ComesBackAsItWas) {
  for (const Origin origin : {Origin::socket, Origin::passed, Origin::stored}) {
    HeldName name = full();
    name.origin = origin;
    const auto parsed = parse_held_name(held_name_text(name));
    ASSERT_TRUE(parsed);
    expect_same(*parsed, name);
  }
}

TEST(HeldName, TheLongestFitsAndOnlyItsSenderIsCut) {
  HeldName name = full();
  name.unit = std::string(protocol::kNameMax, 'u');
  name.name = std::string(255, 'n');
  name.from = std::string(1000, 'f');
  const std::string text = held_name_text(name);
  EXPECT_EQ(text.size(), protocol::kStoredNameMax);
  const auto parsed = parse_held_name(text);
  ASSERT_TRUE(parsed);
  EXPECT_GE(parsed->from.size(), 50u);
  name.from = parsed->from;
  expect_same(*parsed, name);
}

TEST(HeldName, WhatTheKeeperNamedItself) {
  const auto parsed = parse_held_name(std::string(protocol::kInheritedPrefix) + "4:12:http");
  ASSERT_TRUE(parsed);
  expect_same(*parsed,
              {.origin = Origin::inherited, .serial = 4, .since_real_ns = 12, .name = "http"});
}

TEST(HeldName, WhatIsHandedUpIsNamedAsWhatWasInherited) {
  HeldName name = full();
  name.origin = Origin::inherited;
  name.serial = 7;
  EXPECT_EQ(held_name_text(name), "listen:7:1700000000123456789:http");
}

TEST(HeldName, OthersAreNone) {
  for (const char* text :
       {"", "foster/units", "notify:0123", "fd:", "fd:s---", "fd:s---:1",
        "fd:s---:1:2:", "fd:s---:1:2:u:", "fd:s---:1:2:u:n:", "fd:s---:1:2:u/n",
        "fd:x---:1:2:u/n:", "fd:s---:a:2:u/n:", "fd:s---:1::u/n:", "fd:s:1:2:u/n:", "listen:1",
        "listen:x:1:n", "fd:s---:99999999999999999999:2:u/n:"})
    EXPECT_FALSE(parse_held_name(text)) << text;
}

}  // namespace
}  // namespace foster::manager
