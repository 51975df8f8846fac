#include <gtest/gtest.h>

#include "ctl/command_table.hpp"

namespace foster::ctl {
namespace {

using Words = std::vector<std::string>;

CommandLine parse(const Words& words, const Environment& environment = {}) {
  return parse_command_line(words, environment);
}

std::string mistake(const Words& words) {
  const CommandLine line = parse(words);
  EXPECT_EQ(line.code, ExitCode::usage);
  EXPECT_EQ(line.command, nullptr);
  return line.text;
}

TEST(CommandLine, FindsTheVerbAmongTheGlobalOptions) {
  const CommandLine line =
      parse({"--instance", "status", "--runtime-dir=/x", "list", "--no-color", "a", "--json", "b"});
  ASSERT_NE(line.command, nullptr) << line.text;
  EXPECT_EQ(line.command->name, "list");
  EXPECT_EQ(line.arguments.instance, "status");
  EXPECT_EQ(line.arguments.runtime_dir, "/x");
  EXPECT_TRUE(line.arguments.no_color);
  EXPECT_TRUE(line.arguments.json);
  EXPECT_EQ(line.arguments.names, (Words{"a", "b"}));
}

TEST(CommandLine, EnvironmentIsTheDefaultForTheGlobalOptions) {
  const Environment environment{.instance = "from-env", .runtime_dir = "/env"};
  EXPECT_EQ(parse({"status"}, environment).arguments.instance, "from-env");
  EXPECT_EQ(parse({"status"}, environment).arguments.runtime_dir, "/env");
  EXPECT_EQ(parse({"status", "--instance", "given"}, environment).arguments.instance, "given");
}

TEST(CommandLine, TakesAnyWordForANameAfterTwoDashes) {
  EXPECT_EQ(parse({"stop", "-q", "--", "--json", "-x", "stop"}).arguments.names,
            (Words{"--json", "-x", "stop"}));
}

TEST(CommandLine, LeavesPatternsAndOddNamesAsTheyAre) {
  const Words names{"[ab]", "[a-c]*", "web-*", "a=b", "start", "list", "[x,y]", "a,b", "\xc3\xa9"};
  Words words{"start"};
  words.insert(words.end(), names.begin(), names.end());
  EXPECT_EQ(parse(words).arguments.names, names);
  EXPECT_EQ(mistake({"status", ""}),
            "fosterctl: an empty word is no name\nSee fosterctl status --help.\n");
  EXPECT_EQ(mistake({"check", ""}),
            "fosterctl: an empty word is no name\nSee fosterctl check --help.\n");
}

TEST(CommandLine, SignalIsTheLastWord) {
  const CommandLine line = parse({"signal", "a", "b", "usr1"});
  ASSERT_NE(line.command, nullptr) << line.text;
  EXPECT_EQ(line.arguments.names, (Words{"a", "b"}));
  EXPECT_EQ(line.arguments.signal, 10);
  EXPECT_EQ(mistake({"signal", "a", "TERN"}),
            "fosterctl: no such signal: TERN (did you mean SIGTERM?)\n"
            "See fosterctl signal --help.\n");
  EXPECT_EQ(mistake({"signal", "HUP"}),
            "fosterctl: NAME is required\nSee fosterctl signal --help.\n");
}

TEST(CommandLine, ScaleTakesATemplateAndACount) {
  const CommandLine line = parse({"scale", "worker", "8"});
  ASSERT_NE(line.command, nullptr) << line.text;
  EXPECT_EQ(line.arguments.names, Words{"worker"});
  EXPECT_EQ(line.arguments.instances, 8u);
}

TEST(CommandLine, WhatIsPassedKeepsTheOrderOfTheWords) {
  const CommandLine line = parse({"pass", "--fd", "7", "web", "--name", "a", "--listen",
                                  "tcp://[::1]:80", "--name", "[b]", "--fd=0", "--name=c"});
  ASSERT_NE(line.command, nullptr) << line.text;
  EXPECT_EQ(line.arguments.names, Words{"web"});
  const std::vector<Offer>& offers = line.arguments.offers;
  ASSERT_EQ(offers.size(), 3u);
  EXPECT_EQ(offers[0].descriptor, 7);
  EXPECT_EQ(offers[0].name, "a");
  EXPECT_EQ(offers[1].listen, "tcp://[::1]:80");
  EXPECT_EQ(offers[1].name, "[b]");
  EXPECT_EQ(offers[2].descriptor, 0);
  EXPECT_EQ(offers[2].listen, "");
  EXPECT_EQ(offers[2].name, "c");
  EXPECT_EQ(parse({"pass", "web", "--fd", "7"}).arguments.offers.at(0).name, "");
}

TEST(CommandLine, MistakesInWhatIsPassedAreNamed) {
  const std::string see = "\nSee fosterctl pass --help.\n";
  EXPECT_EQ(mistake({"pass", "web"}), "fosterctl: --listen or --fd is required" + see);
  EXPECT_EQ(mistake({"pass", "--fd", "3"}), "fosterctl: NAME is required" + see);
  EXPECT_EQ(mistake({"pass", "web", "--fd", "x"}),
            "fosterctl: --fd: 'x' is no number of a descriptor" + see);
  EXPECT_EQ(mistake({"pass", "web", "--fd", "3", "--fd", "4", "--name", "a"}),
            "fosterctl: 2 descriptors take as many --name, not 1" + see);
  EXPECT_EQ(mistake({"pass", "web", "--fd", "3", "--name", "a", "--name", "b"}),
            "fosterctl: 1 descriptor takes as many --name, not 2" + see);
  EXPECT_EQ(mistake({"pass", "web", "--fd", "3", "--name", ""}),
            "fosterctl: --name: '' is no name for a descriptor: 1 to 255 characters of ASCII, no "
            "colon" +
                see);
  EXPECT_EQ(
      mistake({"pass", "web", "--fd", "3", "--name", "a\nb"}),
      "fosterctl: --name: 'a?b' is no name for a descriptor: 1 to 255 characters of ASCII, no "
      "colon" +
          see);
  const std::string address = mistake({"pass", "web", "--listen", "tcp://example.com:80"});
  EXPECT_TRUE(address.starts_with(
      "fosterctl: --listen: 'tcp://example.com:80' is no address to listen at: "))
      << address;
}

TEST(CommandLine, WhatIsTakenGoesToACommandWithItsOwnOptions) {
  const CommandLine line =
      parse({"take", "--instance", "x", "web", "http", "--", "sh", "-c", "[ 1 ]", "--", "--json"});
  ASSERT_NE(line.command, nullptr) << line.text;
  EXPECT_EQ(line.arguments.names, Words{"web"});
  EXPECT_EQ(line.arguments.descriptor, "http");
  EXPECT_EQ(line.arguments.command, (Words{"sh", "-c", "[ 1 ]", "--", "--json"}));
  const Words all{"take", "web", "http", "--", "[", "-f", "x", "]"};
  EXPECT_EQ(parse(all).arguments.command, (Words{"[", "-f", "x", "]"}));
  EXPECT_EQ(mistake({"take", "web", "http"}),
            "fosterctl: COMMAND is required\nSee fosterctl take --help.\n");
  EXPECT_EQ(mistake({"drop", "web"}),
            "fosterctl: FDNAME is required\nSee fosterctl drop --help.\n");
}

TEST(CommandLine, ARestartMayOverlap) {
  EXPECT_TRUE(parse({"restart", "web", "--overlap"}).arguments.overlap);
  EXPECT_FALSE(parse({"restart", "web"}).arguments.overlap);
}

TEST(CommandLine, DurationsAndConditionsAreValues) {
  const CommandLine line = parse({"wait", "a", "--for", "down", "--timeout", "1min 30s"});
  ASSERT_NE(line.command, nullptr) << line.text;
  EXPECT_EQ(line.arguments.condition, Condition::down);
  EXPECT_EQ(line.arguments.timeout, std::chrono::seconds(90));
  EXPECT_FALSE(parse({"start", "a"}).arguments.timeout.has_value());
  EXPECT_EQ(parse({"start", "a", "--timeout", "0s"}).arguments.timeout, Duration(0));
}

TEST(CommandLine, MistakesAreNamed) {
  EXPECT_EQ(mistake({}), "fosterctl: a command is missing\nSee fosterctl --help.\n");
  EXPECT_EQ(mistake({"statsu"}),
            "fosterctl: no such command: statsu (did you mean status?)\nSee fosterctl --help.\n");
  EXPECT_EQ(mistake({"stat"}),
            "fosterctl: no such command: stat (did you mean status?)\nSee fosterctl --help.\n");
  EXPECT_EQ(mistake({"events", "-n", "-1"}),
            "fosterctl: -n: '-1' is no count\nSee fosterctl events --help.\n");
  EXPECT_EQ(mistake({"scale", "worker", "many"}),
            "fosterctl: N: 'many' is no count\nSee fosterctl scale --help.\n");
  EXPECT_EQ(mistake({"zzzzzz\x1b[2J"}),
            "fosterctl: no such command: zzzzzz?[2J\nSee fosterctl --help.\n");
  EXPECT_EQ(mistake({"--bogus"}),
            "fosterctl: The following argument was not expected: --bogus\n"
            "See fosterctl --help.\n");
  EXPECT_EQ(mistake({"status", "--bogus"}),
            "fosterctl: The following argument was not expected: --bogus\n"
            "See fosterctl status --help.\n");
  EXPECT_EQ(mistake({"start"}), "fosterctl: NAME is required\nSee fosterctl start --help.\n");
  EXPECT_EQ(mistake({"wait", "a"}), "fosterctl: --for is required\nSee fosterctl wait --help.\n");
  EXPECT_EQ(mistake({"wait", "a", "--for", "runing"}),
            "fosterctl: --for: 'runing' is none of running, stopped, failed, exited, "
            "waiting, skipped, listening, up, down, ready, healthy\n"
            "See fosterctl wait --help.\n");
  EXPECT_EQ(mistake({"start", "a", "--timeout", "5"}),
            "fosterctl: --timeout: a number needs its unit: \"5s\", \"5ms\", ...\n"
            "See fosterctl start --help.\n");
  EXPECT_EQ(mistake({"status", "--instance", "../x"}),
            "fosterctl: '../x' is no name for an instance: letters, digits, '-' and '_'\n"
            "See fosterctl status --help.\n");
  EXPECT_EQ(mistake({"shutdown", "now"}),
            "fosterctl: The following argument was not expected: now\n"
            "See fosterctl shutdown --help.\n");
  EXPECT_EQ(mistake({"status", "--instance"}),
            "fosterctl: --instance: 1 required NAME missing\nSee fosterctl status --help.\n");
}

TEST(CommandLine, EveryVerbHasHelpAndRuns) {
  for (const Command& command : command_table()) {
    const CommandLine line = parse({std::string(command.name), "--help"});
    EXPECT_EQ(line.code, ExitCode::done);
    EXPECT_TRUE(line.text.starts_with("Usage: fosterctl " + std::string(command.name) + " [OPT"))
        << line.text;
    EXPECT_NE(line.text.find("\n" + std::string(command.summary) + ".\n"), std::string::npos);
    EXPECT_NE(command.run, nullptr);
  }
}

TEST(CommandLine, HelpOfOneVerb) {
  EXPECT_EQ(parse({"stop", "--help"}).text,
            R"(Usage: fosterctl stop [OPTIONS] NAME...
Stop units and wait until they are down.

Positionals:
  NAME                  Units, as names or patterns

Options:
  --no-wait             Ask, and do not wait for the outcome
  --timeout TIME        Wait no longer than this: 10s, 1min 30s
  -q,--quiet            Say nothing but errors
  -h,--help             Show this
  --version             Show fosterctl's version
  --instance NAME       Which fosterd; default: $FOSTER_INSTANCE
  --runtime-dir DIR     As given to fosterd; default: $FOSTER_RUNTIME_DIR
  --no-color            No colours; $NO_COLOR does the same
)");
}

TEST(CommandLine, HelpOfAll) {
  const std::string expected = R"(Usage: fosterctl [OPTIONS] COMMAND ...
Controls foster: looks at units, starts and stops them.

Options:
  -h,--help             Show this
  --version             Show fosterctl's version
  --instance NAME       Which fosterd; default: $FOSTER_INSTANCE
  --runtime-dir DIR     As given to fosterd; default: $FOSTER_RUNTIME_DIR
  --no-color            No colours; $NO_COLOR does the same

Looking:
  status                Show units: all, some, or all about one
  list                  Names and states, one a line
  why                   Why units are in their state, and what would change it
  graph                 What depends on what
  tree                  The same as a tree, with states
  cat                   What a unit's files come to, and where each key is from
  timers                When timers start units next
  watch                 Show changes of state as they happen
  events                Show what happened lately: the flight recorder
  wait                  Wait until all of the units are in a state

Changing:
  start                 Start units and wait until they are up
  stop                  Stop units and wait until they are down
  restart               Stop units and start them again
  reload                Have services read their configuration again
  reset                 Forget failures and restarts of units
  signal                Send a signal to the units' main processes

Sockets and other descriptors:
  pass                  Open a socket, or take one, and give it to a unit
  fds                   What is held for units: sockets, and what was passed or stored
  drop                  Hold a descriptor no longer
  hand-up               Have the supervisor above fosterd keep a unit's socket
  take                  Run a command with a descriptor that is held for a unit

Units and the daemon:
  enable                Have units started with the daemon
  disable               Have units not started with the daemon
  mask                  Forbid any start of units
  unmask                Allow starts of units again
  scale                 Set how many instances of a template there are
  load                  Read the unit files again
  check                 Find the mistakes in unit files
  shutdown              Stop everything, and fosterd with it
  version               Versions of fosterctl and of the daemon

Names may be patterns (web-*). Words after -- are names, whatever they begin with.

Exit codes: 0 done, 1 failed, 2 wrong usage, 3 no such unit, 4 no daemon, 5 not permitted,
124 timed out.
See fosterctl COMMAND --help, fosterctl(1).
)";
  EXPECT_EQ(parse({"--help"}).text, expected);
  EXPECT_EQ(parse({"help"}).text, expected);
  EXPECT_EQ(parse({"-h"}).code, ExitCode::done);
  EXPECT_EQ(parse({"--version"}).text, "fosterctl " FOSTER_VERSION "\n");
  EXPECT_EQ(parse({"status", "--version"}).text, "fosterctl " FOSTER_VERSION "\n");
}

}  // namespace
}  // namespace foster::ctl
