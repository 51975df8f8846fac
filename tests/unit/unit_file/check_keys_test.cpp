// Each key of [ready] and [health], and what they say together with the type.

#include "tests/unit/unit_file/parsing.hpp"

namespace foster {
namespace {

using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;
using testing::complaints;
using testing::folded;
using testing::unit_from;
using testing::with_command;

std::string with_ready(const std::string& text) {
  return with_command("[ready]\n" + text);
}
std::string with_health(const std::string& text) {
  return with_command("[health]\n" + text);
}

ReadySpec ready_of(const std::string& text) {
  const UnitSpec unit = unit_from(with_ready(text));
  return unit.ready ? *unit.ready : ReadySpec{};
}

HealthSpec health_of(const std::string& text) {
  const UnitSpec unit = unit_from(with_health(text));
  return unit.health ? *unit.health : HealthSpec{};
}

TEST(ReadyKeys, EachWayOfBeingReady) {
  EXPECT_EQ(ready_of("notify = true").kind, ReadyKind::notify);
  EXPECT_EQ(ready_of("notify = false").kind, ReadyKind::none);
  EXPECT_EQ(ready_of("descriptor = 3").descriptor, 3);
  EXPECT_EQ(ready_of("descriptor-variable = \"READY_FD\"").descriptor_variable, "READY_FD");
  EXPECT_EQ(ready_of("descriptor-variable = \"READY_FD\"").kind, ReadyKind::descriptor);
  EXPECT_EQ(ready_of("tcp = \"[::1]:80\"").target, "[::1]:80");
  EXPECT_EQ(ready_of("unix = \"/run/x.sock\"").kind, ReadyKind::unix_socket);
  EXPECT_EQ(ready_of("file = \"/run/x\"").kind, ReadyKind::file);
  EXPECT_EQ(ready_of("output = \"^(ready|up) in [0-9]+ ms$\"").kind, ReadyKind::output);
  EXPECT_EQ(ready_of("command = [\"test\", \"-e\", \"/x\"]").command, (Argv{"test", "-e", "/x"}));
  const ReadySpec http = ready_of(R"(http = "http://localhost/ready"
http-status = 204
timeout = "1min"
interval = "50ms"
on-timeout = "run"
)");
  EXPECT_EQ(http.kind, ReadyKind::http);
  EXPECT_EQ(http.target, "http://localhost/ready");
  EXPECT_EQ(http.http_status, 204);
  EXPECT_EQ(http.timeout, minutes(1));
  EXPECT_EQ(http.interval, milliseconds(50));
  EXPECT_EQ(http.on_timeout, ReadyTimeout::run);
}

TEST(ReadyKeys, OneWayAlone) {
  EXPECT_EQ(
      complaints(with_ready("tcp = \"x:1\"\ndescriptor = 3\nnotify = true\n")),
      folded(R"(web.toml:5:1: `descriptor` and `tcp` exclude each other: [ready] says one way \
of being ready
    descriptor = 3
    ^^^^^^^^^^
web.toml:6:1: `notify` and `tcp` exclude each other: [ready] says one way of being ready
    notify = true
    ^^^^^^
)"));
  EXPECT_EQ(complaints(with_ready("tcp = \"x:1\"\nnotify = false\n")), "");
}

TEST(ReadyKeys, ATypeMaySayItAlready) {
  EXPECT_EQ(
      complaints(with_command("type = \"notify\"\n[ready]\nfile = \"/x\"\n")),
      folded(R"(web.toml:5:1: a notify service is ready when it says so: `file` is for type = \
"simple" or "forking"
    file = "/x"
    ^^^^
)"));
  EXPECT_EQ(complaints(with_command("type = \"oneshot\"\n[ready]\nfile = \"/x\"\n")),
            folded(R"(web.toml:5:1: a oneshot is ready when its commands have exited with success: \
it has no `file`
    file = "/x"
    ^^^^
)"));
  EXPECT_EQ(complaints(with_command("type = \"notify\"\n[ready]\nnotify = false\n")),
            folded(R"(web.toml:5:1: a notify service is ready when it says so: leave `notify` out, \
or use type = "simple"
    notify = false
    ^^^^^^
)"));
  EXPECT_EQ(complaints(with_command("type = \"forking\"\n[ready]\nfile = \"/x\"\n")), "");
}

TEST(ReadyKeys, ATimeoutNeedsSomethingToWaitFor) {
  EXPECT_EQ(
      complaints(with_ready("timeout = \"1s\"\ninterval = \"1s\"\n")),
      folded(R"(web.toml:4:1: `timeout` has nothing to wait for: a simple service without one \
of `notify`, `descriptor`, `descriptor-variable`, `tcp`, `unix`, `http`, `command`, `file` or \
`output` is ready at once
    timeout = "1s"
    ^^^^^^^
web.toml:5:1: `interval` is of no use without `tcp`, `unix`, `http` or `command`
    interval = "1s"
    ^^^^^^^^
)"));
  for (const char* type : {"notify", "forking", "oneshot"}) {
    EXPECT_EQ(complaints(with_command("type = \"" + std::string(type) +
                                      "\"\n[ready]\ntimeout = \"1s\"\n")),
              "");
  }
  EXPECT_EQ(complaints(with_command("type = \"oneshot\"\n[ready]\non-timeout = \"run\"\n")),
            folded(R"(web.toml:5:1: `on-timeout` has nothing to wait for: a oneshot that is late \
cannot count as done
    on-timeout = "run"
    ^^^^^^^^^^
)"));
}

TEST(ReadyKeys, Descriptors) {
  EXPECT_EQ(
      complaints(with_ready("descriptor = 2\n")),
      folded(R"(web.toml:4:14: descriptor 2 is standard input, output or error: take one from \
3 on
    descriptor = 2
                 ^
)"));
  EXPECT_EQ(complaints(with_ready("descriptor = -1\n")),
            R"(web.toml:4:14: `descriptor` must be a whole number from 3 to 255, not -1
    descriptor = -1
                 ^^
)");
  EXPECT_EQ(complaints(with_ready("descriptor-variable = \"1X\"\n")),
            folded(R"(web.toml:4:23: "1X" is no variable's name: letters, digits and `_` make one, \
and no digit comes first
    descriptor-variable = "1X"
                          ^^^^
)"));
}

std::string address_complaint(const std::string& address) {
  const std::string said = complaints(with_ready("tcp = \"" + address + "\"\n"));
  const size_t colon = said.find(": ");
  return colon == std::string::npos ? said : said.substr(colon + 2, said.find('\n') - colon - 2);
}

TEST(ReadyKeys, Addresses) {
  EXPECT_EQ(address_complaint("localhost:8080"), "");
  EXPECT_EQ(address_complaint("8080"),
            "\"8080\" is no address: there is no host: write \"localhost:8080\"");
  EXPECT_EQ(address_complaint("localhost"),
            "\"localhost\" is no address: expected a host and a port, such as \"localhost:8080\"");
  EXPECT_EQ(address_complaint(":80"), "\":80\" is no address: there is no host before the port");
  EXPECT_EQ(address_complaint("x:0"),
            "\"x:0\" is no address: `0` is no port: a number from 1 to 65535");
  EXPECT_EQ(address_complaint("x:65536"),
            "\"x:65536\" is no address: `65536` is no port: a number from 1 to 65535");
  EXPECT_EQ(address_complaint("::1:80"),
            "\"::1:80\" is no address: an IPv6 address stands in brackets: \"[::1]:80\"");
  EXPECT_EQ(address_complaint("http://x:80"),
            "\"http://x:80\" is no address: a host and a port alone stand here, not a URL");
  EXPECT_EQ(address_complaint("a b:80"),
            "\"a b:80\" is no address: `a b` is no host's name or address");
}

TEST(ReadyKeys, PathsUrlsAndPatterns) {
  EXPECT_EQ(
      complaints(with_ready("unix = \"x.sock\"\nhttp = \"localhost/\"\noutput = \"(\"\n")),
      folded(R"(web.toml:4:8: `unix` must be an absolute path: "x.sock" does not begin with '/'
    unix = "x.sock"
           ^^^^^^^^
web.toml:5:1: `http` and `unix` exclude each other: [ready] says one way of being ready
    http = "localhost/"
    ^^^^
web.toml:5:8: "localhost/" is no URL: it begins with "http://" or "https://"
    http = "localhost/"
           ^^^^^^^^^^^^
web.toml:6:1: `output` and `unix` exclude each other: [ready] says one way of being ready
    output = "("
    ^^^^^^
web.toml:6:10: "(" is no regular expression: Unmatched ( or \(
    output = "("
             ^^^
)"));
  EXPECT_EQ(complaints(with_ready("unix = \"/" + std::string(107, 'x') + "\"\n")).substr(0, 71),
            "web.toml:4:8: `unix` has 108 bytes, and a socket's path has at most 107");
  EXPECT_EQ(complaints(with_ready("http = \"http://\"\nhttp-status = 99\n")),
            R"(web.toml:4:8: "http://" is no URL: a host is missing
    http = "http://"
           ^^^^^^^^^
web.toml:5:15: `http-status` must be a whole number from 100 to 599, not 99
    http-status = 99
                  ^^
)");
  EXPECT_EQ(complaints(with_ready("tcp = \"x:1\"\nhttp-status = 200\n")),
            R"(web.toml:5:1: `http-status` is of no use without `http`
    http-status = 200
    ^^^^^^^^^^^
)");
}

TEST(ReadyKeys, PatternsThatWouldTakeAllMemory) {
  EXPECT_EQ(
      complaints(with_ready("output = \"((a{200}){200}){200}\"\n")),
      folded(R"(web.toml:4:10: "((a{200}){200}){200}" is no regular expression: too large: at \
most 1000 bytes, and repetitions that come to 10000
    output = "((a{200}){200}){200}"
             ^^^^^^^^^^^^^^^^^^^^^^
)"));
  EXPECT_EQ(complaints(with_ready("output = \"[0-9]{4}-[0-9]{2}-[0-9]{2,3} a{,9}\"\n")), "");
  EXPECT_NE(complaints(with_ready("output = \"a{99999999999}\"\n")), "");
  EXPECT_NE(complaints(with_ready("output = \"a{\"\n")), "");
}

TEST(HealthKeys, AllAtOnce) {
  const HealthSpec health = health_of(R"(command = ["/bin/check", "${PORT}"]
interval = "1s"
timeout = "2s"
failures = 5
successes = 2
start-period = "1min"
action = "stop"
watchdog = "30s"
max-runtime = "1d"
memory-max = "64MiB"
)");
  EXPECT_EQ(health.kind, HealthKind::command);
  EXPECT_EQ(health.command, (Argv{"/bin/check", "${PORT}"}));
  EXPECT_EQ(health.interval, seconds(1));
  EXPECT_EQ(health.timeout, seconds(2));
  EXPECT_EQ(health.failures, 5U);
  EXPECT_EQ(health.successes, 2U);
  EXPECT_EQ(health.start_period, minutes(1));
  EXPECT_EQ(health.action, HealthAction::stop);
  EXPECT_EQ(health.watchdog, seconds(30));
  EXPECT_EQ(health.max_runtime, std::chrono::hours(24));
  EXPECT_EQ(health.memory_max, 64U * 1024 * 1024);
  EXPECT_EQ(health_of("tcp = \"x:1\"").kind, HealthKind::tcp);
  EXPECT_EQ(health_of("unix = \"/x\"").kind, HealthKind::unix_socket);
  EXPECT_EQ(health_of("http = \"https://x\"").kind, HealthKind::http);
}

TEST(HealthKeys, WhatSpeaksOfChecksNeedsOne) {
  EXPECT_EQ(complaints(with_health("watchdog = \"1s\"\n")), "");
  EXPECT_EQ(complaints(with_health("memory-max = \"1GiB\"\ninterval = \"1s\"\naction = \"none\"")),
            "");
  EXPECT_EQ(
      complaints(with_health("timeout = \"1s\"\naction = \"stop\"\nwatchdog = \"1s\"\n")),
      folded(R"(web.toml:4:1: `timeout` is of no use without `command`, `http`, `tcp` or `unix`
    timeout = "1s"
    ^^^^^^^
web.toml:5:1: `action` is of no use without `command`, `http`, `tcp`, `unix` or `memory-max`
    action = "stop"
    ^^^^^^
)"));
  EXPECT_EQ(complaints(with_health("tcp = \"x:1\"\nunix = \"/x\"\nfailures = 0\n")),
            R"(web.toml:5:1: `unix` and `tcp` exclude each other: [health] has one check
    unix = "/x"
    ^^^^
web.toml:6:12: `failures` must be a whole number from 1 to 1000, not 0
    failures = 0
               ^
)");
  EXPECT_EQ(complaints(with_command("type = \"oneshot\"\n[health]\ntcp = \"x:1\"\n")),
            folded(R"(web.toml:5:1: a oneshot is not checked: it is up when it has ended; \
`max-runtime` and `memory-max` hold while it works
    tcp = "x:1"
    ^^^
)"));
}

std::string size_complaint(const std::string& size) {
  const std::string said = complaints(with_health("memory-max = " + size + "\n"));
  const size_t colon = said.find(": ");
  return colon == std::string::npos ? said : said.substr(colon + 2, said.find('\n') - colon - 2);
}

TEST(HealthKeys, Sizes) {
  EXPECT_EQ(health_of("memory-max = \"1.5 GiB\"").memory_max, 3ULL << 29);
  EXPECT_EQ(health_of("memory-max = \"10MB\"").memory_max, 10'000'000U);
  EXPECT_EQ(health_of("memory-max = \"1B\"").memory_max, 1U);
  EXPECT_EQ(size_complaint("64"),
            "`memory-max` must be a size such as \"64MiB\" or \"1.5GiB\", not an integer; write "
            "memory-max = \"64MiB\"");
  EXPECT_EQ(size_complaint("\"64\""),
            "`memory-max` is no size: a number needs its unit: \"64MiB\", \"64B\", ...");
  EXPECT_EQ(size_complaint("\"64M\""),
            "`memory-max` is no size: \"M\" is no unit of memory; write MiB");
  EXPECT_EQ(size_complaint("\"lots\""),
            "`memory-max` is no size: expected a size such as \"64MiB\" or \"1.5GiB\"");
  EXPECT_EQ(size_complaint("\"-1MiB\""),
            "`memory-max` is no size: expected a size such as \"64MiB\" or \"1.5GiB\"");
  EXPECT_EQ(size_complaint("\"9999999TiB\""), "`memory-max` is no size: larger than 1 EiB");
  EXPECT_EQ(size_complaint("\"0MiB\""), "`memory-max` must be more than nothing");
}

}  // namespace
}  // namespace foster
