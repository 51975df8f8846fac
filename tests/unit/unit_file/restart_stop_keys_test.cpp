// Each key of [restart] and [stop], and what keys say together.

#include "tests/unit/unit_file/parsing.hpp"

namespace foster {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using testing::complaints;
using testing::folded;
using testing::unit_from;
using testing::with_command;

std::string with_restart(const std::string& text) {
  return with_command("[restart]\n" + text);
}
std::string with_stop(const std::string& text) {
  return with_command("[stop]\n" + text);
}

TEST(RestartKeys, AllAtOnce) {
  const RestartSpec restart = unit_from(with_restart(R"(policy = "always"
delay = "50ms"
factor = 3
max-delay = "1min 30s"
jitter = 0.25
reset-after = "1h"
limit = 0
limit-interval = "5s"
)"))
                                  .restart;
  EXPECT_EQ(restart.policy, RestartPolicy::always);
  EXPECT_EQ(restart.delay, milliseconds(50));
  EXPECT_EQ(restart.factor, 3.0);
  EXPECT_EQ(restart.max_delay, seconds(90));
  EXPECT_EQ(restart.jitter, 0.25);
  EXPECT_EQ(restart.reset_after, std::chrono::hours(1));
  EXPECT_EQ(restart.limit, 0U);
  EXPECT_EQ(restart.limit_interval, seconds(5));
}

TEST(RestartKeys, Policy) {
  EXPECT_EQ(unit_from(with_restart("policy = \"never\"")).restart.policy, RestartPolicy::never);
  EXPECT_EQ(
      complaints(with_restart("policy = \"on_failure\"")),
      folded(R"(web.toml:4:10: `policy` must be one of "always", "on-failure", "on-abnormal", \
"on-watchdog" and "never", not "on_failure"; did you mean "on-failure"?
    policy = "on_failure"
             ^^^^^^^^^^^^
)"));
  EXPECT_EQ(
      complaints(with_restart("policy = true")),
      folded(R"(web.toml:4:10: `policy` must be one of "always", "on-failure", "on-abnormal", \
"on-watchdog" and "never", not a boolean
    policy = true
             ^^^^
)"));
}

TEST(RestartKeys, DurationsNeedUnits) {
  EXPECT_EQ(
      complaints(with_restart("delay = 5\nmax-delay = 0.5\n")),
      folded(R"(web.toml:4:9: `delay` must be a duration such as "200ms", "10s" or "1min 30s", \
not an integer; write delay = "5s"
    delay = 5
            ^
web.toml:5:13: `max-delay` must be a duration such as "200ms", "10s" or "1min 30s", not a number \
with a decimal point; write max-delay = "0.5s"
    max-delay = 0.5
                ^^^
)"));
  EXPECT_EQ(complaints(with_restart("delay = \"5\"")),
            folded(R"(web.toml:4:9: `delay` is no duration: a number needs its unit: "5s", \
"5ms", ...
    delay = "5"
            ^^^
)"));
  EXPECT_EQ(complaints(with_restart("reset-after = \"5m\"")),
            folded(R"(web.toml:4:15: `reset-after` is no duration: "m" may mean minutes or \
milliseconds; write min or ms
    reset-after = "5m"
                  ^^^^
)"));
  EXPECT_EQ(complaints(with_restart("limit-interval = \"0s\"")),
            R"(web.toml:4:18: `limit-interval` must be longer than 0s
    limit-interval = "0s"
                     ^^^^
)");
}

TEST(RestartKeys, Numbers) {
  EXPECT_EQ(complaints(with_restart("factor = 0.5\njitter = 1.5\nlimit = -1\n")),
            R"(web.toml:4:10: `factor` must be a number from 1 to 100, not 0.5
    factor = 0.5
             ^^^
web.toml:5:10: `jitter` must be a number from 0 to 1, not 1.5
    jitter = 1.5
             ^^^
web.toml:6:9: `limit` must be a whole number from 0 to 1000000, not -1
    limit = -1
            ^^
)");
  EXPECT_EQ(complaints(with_restart("factor = nan\njitter = \"0.5\"\nlimit = 2.0\n")),
            R"(web.toml:4:10: `factor` must be a number from 1 to 100, not nan
    factor = nan
             ^^^
web.toml:5:10: `jitter` must be a number from 0 to 1, not a string
    jitter = "0.5"
             ^^^^^
web.toml:6:9: `limit` must be a whole number from 0 to 1000000, not a number with a decimal point
    limit = 2.0
            ^^^
)");
}

TEST(RestartKeys, MaxDelayIsNotBelowDelay) {
  EXPECT_EQ(complaints(with_restart("delay = \"1min\"\nmax-delay = \"30s\"\n")),
            R"(web.toml:5:13: `max-delay` of 30s is shorter than `delay`, which is 1min
    max-delay = "30s"
                ^^^^^
)");
  EXPECT_EQ(
      complaints(with_restart("max-delay = \"100ms\"\n")),
      folded(R"(web.toml:4:13: `max-delay` of 100ms is shorter than `delay`, which is 200ms by \
default
    max-delay = "100ms"
                ^^^^^^^
)"));
  EXPECT_EQ(complaints(with_restart("delay = \"1min\"\n")),
            folded(R"(web.toml:4:9: `delay` of 1min is longer than `max-delay`, which is 30s by \
default; set it as well
    delay = "1min"
            ^^^^^^
)"));
  EXPECT_EQ(complaints(with_restart("delay = \"1min\"\nmax-delay = \"1min\"\n")), "");
  // A value that was refused is not compared.
  EXPECT_EQ(
      complaints(with_restart("delay = \"1min\"\nmax-delay = 40\n")),
      folded(R"(web.toml:5:13: `max-delay` must be a duration such as "200ms", "10s" or "1min \
30s", not an integer; write max-delay = "40s"
    max-delay = 40
                ^^
)"));
}

TEST(RestartKeys, AOneshotIsNotRestartedForEver) {
  EXPECT_EQ(complaints(with_command("type = \"oneshot\"\n[restart]\npolicy = \"always\"\n")),
            folded(R"(web.toml:5:10: "always" would run a oneshot again and again without end; use \
"on-failure" or "never", or type = "simple"
    policy = "always"
             ^^^^^^^^
)"));
  EXPECT_EQ(complaints(with_command("type = \"oneshot\"\n[restart]\npolicy = \"on-failure\"\n")),
            "");
}

TEST(StopKeys, AllAtOnce) {
  const StopSpec stop =
      unit_from(with_stop("signal = \"int\"\ntimeout = \"1.5s\"\nscope = \"main\"\n")).stop;
  EXPECT_EQ(stop.signal, 2);
  EXPECT_EQ(stop.timeout, milliseconds(1500));
  EXPECT_EQ(stop.scope, SignalScope::main);
  EXPECT_EQ(unit_from(with_stop("timeout = \"0s\"")).stop.timeout, seconds(0));
}

TEST(StopKeys, Signal) {
  EXPECT_EQ(complaints(with_stop("signal = \"SIGTEM\"")),
            R"(web.toml:4:10: "SIGTEM" is no signal; did you mean "SIGTERM"?
    signal = "SIGTEM"
             ^^^^^^^^
)");
  EXPECT_EQ(complaints(with_stop("signal = \"politely\"")),
            R"(web.toml:4:10: "politely" is no signal: expected a name such as "SIGTERM"
    signal = "politely"
             ^^^^^^^^^^
)");
  EXPECT_EQ(complaints(with_stop("signal = 15")),
            folded(R"(web.toml:4:10: `signal` must be a signal's name such as "SIGTERM", not an \
integer; write signal = "SIGTERM"
    signal = 15
             ^^
)"));
  EXPECT_EQ(complaints(with_stop("signal = \"SIGSTOP\"")),
            R"(web.toml:4:10: SIGSTOP stops a process but does not end it
    signal = "SIGSTOP"
             ^^^^^^^^^
)");
}

TEST(StopKeys, TimeoutAndScope) {
  EXPECT_EQ(complaints(with_stop("timeout = \"-1s\"\nscope = \"all\"\n")),
            R"(web.toml:4:11: `timeout` is no duration: a duration cannot be negative
    timeout = "-1s"
              ^^^^^
web.toml:5:9: `scope` must be one of "group" and "main", not "all"
    scope = "all"
            ^^^^^
)");
}

}  // namespace
}  // namespace foster
