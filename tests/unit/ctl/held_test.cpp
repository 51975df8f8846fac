#include "ctl/held.hpp"

#include <gtest/gtest.h>

#include "ctl/json.hpp"
#include "tests/unit/ctl/samples.hpp"

namespace foster::ctl::test {
namespace {

constexpr char kLine[] = "passed\thttp\t1777636795000000000\tuid 0\ttcp *:80, listening";

HeldEntry entry(const char* unit, const char* line) {
  std::optional<HeldEntry> parsed = parse_held(unit, line);
  EXPECT_TRUE(parsed) << line;
  return parsed.value_or(HeldEntry{});
}

TEST(Held, ALineOfTheAnswerIsRead) {
  const HeldEntry read = entry("web", kLine);
  EXPECT_EQ(read.unit, "web");
  EXPECT_EQ(read.origin, "passed");
  EXPECT_EQ(read.name, "http");
  EXPECT_EQ(read.since_real_ns, kNow.real_ns - 5 * kSecond);
  EXPECT_EQ(read.from, "uid 0");
  EXPECT_EQ(read.what, "tcp *:80, listening");
  EXPECT_FALSE(parse_held("web", "passed\thttp\t1\tfrom"));
  EXPECT_FALSE(parse_held("web", "passed\thttp\tlately\tfrom\twhat"));
  EXPECT_FALSE(parse_held("web", ""));
}

TEST(Held, TheTableNamesUnitsOnlyWhereThereAreSeveral) {
  const HeldEntry http = entry("web", kLine);
  const HeldEntry own = entry("web", "socket\thttps\t1777636790000000000\t\ttcp *:443, listening");
  EXPECT_EQ(render_held({http, own}, kNow, {}),
            "NAME   ORIGIN  SINCE    FROM   WHAT\n"
            "http   passed  5s ago   uid 0  tcp *:80, listening\n"
            "https  socket  10s ago  -      tcp *:443, listening\n");
  const HeldEntry other = entry("db\x1b", "stored\tlog\t1777636800000000000\t\tfile /x\x1b[2J");
  EXPECT_EQ(render_held({http, other}, kNow, {}),
            "UNIT  NAME  ORIGIN  SINCE     FROM   WHAT\n"
            "web   http  passed  5s ago    uid 0  tcp *:80, listening\n"
            "db?   log   stored  just now  -      file /x?[2J\n");
}

TEST(Held, JsonHasEveryKey) {
  EXPECT_EQ(held_json({}), "[]\n");
  EXPECT_EQ(held_json({entry("web", kLine)}), R"([
  {
    "unit": "web",
    "name": "http",
    "origin": "passed",
    "what": "tcp *:80, listening",
    "since_us": 1777636795000000,
    "from": "uid 0"
  }
]
)");
  const HeldEntry own = entry("web", "socket\thttps\t0\t\ttcp *:443, listening");
  EXPECT_NE(held_json({own}).find("\"since_us\": null,\n    \"from\": null"), std::string::npos);
}

}  // namespace
}  // namespace foster::ctl::test
