// Each key of [hooks], [timer] and [conditions], and those of types that only some units have.

#include "tests/unit/unit_file/parsing.hpp"

namespace foster {
namespace {

using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;
using testing::complaints;
using testing::folded;
using testing::unit_from;
using testing::with_command;

std::string with_hooks(const std::string& text) {
  return with_command("[hooks]\n" + text);
}
std::string with_timer(const std::string& text) {
  return with_command("type = \"oneshot\"\n[timer]\n" + text);
}
std::string with_conditions(const std::string& text) {
  return with_command("[conditions]\n" + text);
}

TEST(HookKeys, OneCommandOrSeveral) {
  const UnitSpec unit = unit_from(with_hooks(R"(pre-start = ["/bin/a", "x"]
pre-start-timeout = "1min"
post-stop = [["/bin/b"], ["/bin/c", "$${d}"]]
stop = []
reload-signal = "HUP"
on-failure = "-mail"
)"));
  const HookSpec* before = hook_of(unit, HookPoint::pre_start);
  ASSERT_NE(before, nullptr);
  EXPECT_EQ(before->commands, (std::vector<Argv>{{"/bin/a", "x"}}));
  EXPECT_EQ(before->timeout, minutes(1));
  const HookSpec* after = hook_of(unit, HookPoint::post_stop);
  ASSERT_NE(after, nullptr);
  EXPECT_EQ(after->commands, (std::vector<Argv>{{"/bin/b"}, {"/bin/c", "$${d}"}}));
  EXPECT_EQ(after->timeout, seconds(30));
  EXPECT_EQ(hook_of(unit, HookPoint::stop), nullptr);
  EXPECT_EQ(unit.hooks->reload_signal, 1);
  EXPECT_EQ(unit.hooks->on_failure->name, "mail");
  EXPECT_TRUE(unit.hooks->on_failure->optional);
}

TEST(HookKeys, CommandsAreJudgedAsTheMainOne) {
  EXPECT_EQ(complaints(with_hooks(R"(pre-start = "/bin/a x"
post-start = [["a/b"], "c"]
pre-stop = [[], ["/bin/x", "${"]]
stop = [[""]]
)")),
            folded(R"(web.toml:4:13: `pre-start` must be an array of strings, or an array of such \
arrays, not a string; write pre-start = ["/bin/a", "x"]
    pre-start = "/bin/a x"
                ^^^^^^^^^^
web.toml:5:24: `post-start` must hold only commands, each an array of strings, not a string
    post-start = [["a/b"], "c"]
                           ^^^
web.toml:6:13: `pre-stop` is empty: it must name at least a program
    pre-stop = [[], ["/bin/x", "${"]]
                ^^
web.toml:6:29: `${` without a `}`; write `$${` for the characters themselves
    pre-stop = [[], ["/bin/x", "${"]]
                                ^^
web.toml:7:10: the first string of `stop` is empty: it must name a program
    stop = [[""]]
             ^^
)"));
}

TEST(HookKeys, WhatBelongsTogether) {
  EXPECT_EQ(complaints(with_hooks(R"(stop-timeout = "1s"
reload = ["/bin/x"]
reload-signal = "HUP"
)")),
            folded(R"(web.toml:4:1: `stop-timeout` is of no use without `stop`
    stop-timeout = "1s"
    ^^^^^^^^^^^^
web.toml:6:1: `reload-signal` and `reload` exclude each other: a reload is one or the other
    reload-signal = "HUP"
    ^^^^^^^^^^^^^
)"));
}

TEST(TimerKeys, AllAtOnce) {
  const UnitSpec unit = unit_from(with_timer(R"(every = "1h"
after-boot = "1min"
calendar = ["Mon..Fri 09:00", "hourly"]
jitter = "10s"
persistent = true
)"));
  EXPECT_EQ(unit.timer->every, hours(1));
  EXPECT_EQ(unit.timer->after_boot, minutes(1));
  EXPECT_EQ(unit.timer->calendar, (std::vector<std::string>{"Mon..Fri 09:00", "hourly"}));
  EXPECT_EQ(unit.timer->jitter, seconds(10));
  EXPECT_TRUE(unit.timer->persistent);
  EXPECT_EQ(unit_from(with_timer("calendar = \"daily\"")).timer->calendar,
            std::vector<std::string>{"daily"});
}

TEST(TimerKeys, Mistakes) {
  const std::string said = complaints(with_timer("calendar = [\"daily\", \"Mno 09:00\", 5]\n"));
  EXPECT_EQ(said,
            R"(web.toml:5:35: `calendar` must hold only strings, not an integer
    calendar = ["daily", "Mno 09:00", 5]
                                      ^
)");
  EXPECT_TRUE(complaints(with_timer("calendar = [\"daily\", \"*-02-30\"]\n"))
                  .starts_with("web.toml:5:22: \"*-02-30\" never comes\n"));
  EXPECT_TRUE(complaints(with_timer("calendar = [\"daily\", \"Mno 09:00\"]\n"))
                  .starts_with("web.toml:5:22: cannot read \"Mno 09:00\" as a calendar event: "));
  EXPECT_EQ(complaints(with_timer("every = \"0s\"\npersistent = true\n")),
            R"(web.toml:5:9: `every` must be longer than 0s
    every = "0s"
            ^^^^
web.toml:6:1: `persistent` is of no use without `calendar`
    persistent = true
    ^^^^^^^^^^
)");
  EXPECT_EQ(complaints(with_timer("jitter = \"1s\"\n")),
            R"(web.toml:5:1: `jitter` is of no use without `every`, `after-boot` or `calendar`
    jitter = "1s"
    ^^^^^^
)");
}

std::string condition_text(const ConditionSpec& condition) {
  std::string text = std::to_string(int(condition.kind)) + (condition.negated ? "!" : "=");
  text += condition.value;
  for (const std::string& word : condition.command)
    text += " " + word;
  return text + "\n";
}

TEST(ConditionKeys, OneOrSeveral) {
  const UnitSpec unit = unit_from(with_conditions(R"(path-exists = ["/a", "!/b"]
path-executable = "/c"
file-not-empty = "/d"
environment = ["X", "!Y=1"]
command = [["/bin/e", "f"], ["!/bin/g"]]
virtualization = "!container"
user = "0"
)"));
  std::string all;
  for (const ConditionSpec& condition : unit.conditions)
    all += condition_text(condition);
  EXPECT_EQ(all, R"(4= /bin/e f
4! /bin/g
3=X
3!Y=1
2=/d
1=/c
0=/a
0!/b
6=0
5!container
)");
}

TEST(ConditionKeys, Mistakes) {
  EXPECT_EQ(
      complaints(with_conditions(R"(path-exists = "!b"
environment = "1X"
virtualization = ["KVM"]
user = ""
command = ["!"]
file-not-empty = 5
)")),
      folded(R"(web.toml:4:15: `path-exists` must hold absolute paths: "b" does not begin with \
'/'
    path-exists = "!b"
                  ^^^^
web.toml:5:15: "1X" cannot be a variable's name: letters, digits, `_`, `.` and `-` make one, a \
letter or `_` first
    environment = "1X"
                  ^^^^
web.toml:6:19: `virtualization` must hold words such as "container", "vm", "none" or "docker", not \
"KVM"
    virtualization = ["KVM"]
                      ^^^^^
web.toml:7:8: `user` must hold names or numbers of users, not ""
    user = ""
           ^^
web.toml:8:12: the first string of `command` is empty: it must name a program
    command = ["!"]
               ^^^
web.toml:9:18: `file-not-empty` must be an absolute path, or an array of them, not an integer
    file-not-empty = 5
                     ^
)"));
}

TEST(TypeKeys, WhatBelongsToOneTypeAlone) {
  EXPECT_EQ(complaints(with_command(R"(remain-after-exit = true
pid-file = "/run/x.pid"
)")),
            R"(web.toml:3:1: `remain-after-exit` is for a oneshot, and this is a simple service
    remain-after-exit = true
    ^^^^^^^^^^^^^^^^^
web.toml:4:1: `pid-file` is for a forking service, and this is a simple service
    pid-file = "/run/x.pid"
    ^^^^^^^^
)");
  // With a type that is none there is nothing to compare.
  EXPECT_EQ(complaints(with_command("type = \"x\"\npid-file = \"/run/x.pid\"\n")),
            folded(R"(web.toml:3:8: `type` must be one of "simple", "oneshot", "notify", "forking" \
and "group", not "x"
    type = "x"
           ^^^
)"));
}

TEST(TypeKeys, SeveralCommandsAreForAOneshot) {
  const UnitSpec unit =
      unit_from("[service]\ntype = \"oneshot\"\ncommand = [[\"/bin/a\"], [\"/bin/b\", \"c\"]]\n");
  EXPECT_EQ(unit.command, Argv{"/bin/a"});
  EXPECT_EQ(unit.more_commands, (std::vector<Argv>{{"/bin/b", "c"}}));
  EXPECT_EQ(unit_from("[service]\ncommand = [[\"/bin/a\"]]\n").command, Argv{"/bin/a"});
  EXPECT_EQ(complaints("[service]\ncommand = [[\"/bin/a\"], [\"/bin/b\"]]\n"),
            folded(R"(web.toml:2:11: a simple service has one command; several are for type = \
"oneshot"
    command = [["/bin/a"], ["/bin/b"]]
              ^^^^^^^^^^^^^^^^^^^^^^^^
)"));
}

TEST(TypeKeys, AGroupRunsNothing) {
  EXPECT_EQ(complaints(R"([service]
type = "group"
command = ["/bin/x"]
user = "x"
[ready]
timeout = "1s"
[hooks]
pre-start = ["/bin/x"]
on-failure = "mail"
[stop]
timeout = "1s"
[timer]
every = "1h"
)"),
            R"(web.toml:3:1: a group runs nothing: it has no `command`
    command = ["/bin/x"]
    ^^^^^^^
web.toml:4:1: a group runs nothing: it has no `user`
    user = "x"
    ^^^^
web.toml:6:1: a group runs nothing: it has no `timeout` in [ready]
    timeout = "1s"
    ^^^^^^^
web.toml:8:1: a group runs nothing: it has no `pre-start` in [hooks]
    pre-start = ["/bin/x"]
    ^^^^^^^^^
web.toml:11:1: a group runs nothing: it has no `timeout` in [stop]
    timeout = "1s"
    ^^^^^^^
web.toml:13:1: a group runs nothing: it has no `every` in [timer]
    every = "1h"
    ^^^^^
)");
}

TEST(RestartKeys, LimitsAndExitCodes) {
  const UnitSpec unit = unit_from(with_command(R"([restart]
policy = "on-watchdog"
limit-action = "start-unit"
limit-unit = "rescue"
prevent-exit-codes = [3, 2]
force-exit-codes = [4]
)"));
  EXPECT_EQ(unit.restart.policy, RestartPolicy::on_watchdog);
  EXPECT_EQ(unit.restart.limit_action, LimitAction::start_unit);
  EXPECT_EQ(unit.restart.limit_unit->name, "rescue");
  EXPECT_EQ(unit.restart.prevent_exit_codes, (std::vector<int>{2, 3}));
  EXPECT_EQ(complaints(with_command(R"([restart]
limit-unit = "rescue"
prevent-exit-codes = [3, 2]
force-exit-codes = [1, 3]
)")),
            R"(web.toml:4:1: `limit-unit` is of no use without limit-action = "start-unit"
    limit-unit = "rescue"
    ^^^^^^^^^^
web.toml:6:20: the exit code 3 cannot both prevent a restart and force one
    force-exit-codes = [1, 3]
                       ^^^^^^
)");
  EXPECT_EQ(complaints(with_command("[restart]\nlimit-action = \"start-unit\"\n")),
            R"(web.toml:4:16: "start-unit" needs a `limit-unit`: the unit to start
    limit-action = "start-unit"
                   ^^^^^^^^^^^^
)");
}

}  // namespace
}  // namespace foster
