// What is said about a file as a whole: sections, unknown words, encodings, names; and that
// everything is said at once.

#include "tests/unit/unit_file/parsing.hpp"

namespace foster {
namespace {

using testing::complaints;
using testing::folded;
using testing::with_command;

TEST(Structure, EveryMistakeOfAFileAtOnceInTheOrderOfItsLines) {
  EXPECT_EQ(
      complaints(R"(descripton = "Front end"
essential = "no"

[service]
command = ["/usr/sbin/nginx", "-g", "daemon off;"]
delay = "1s"
user = www-data

[restart]
polcy = "always"
delay = 5

[stop]
signal = "SIGTEM"
)"),
      folded(R"(web.toml:1:1: unknown key `descripton` before the first section; did you mean \
`description`?
    descripton = "Front end"
    ^^^^^^^^^^
web.toml:2:13: `essential` must be true or false, not a string; write essential = false
    essential = "no"
                ^^^^
web.toml:6:1: unknown key `delay` in [service]; did you mean `delay` in [restart]?
    delay = "1s"
    ^^^^^
web.toml:7:8: a string needs quotes: write "www-data"
    user = www-data
           ^^^^^^^^
web.toml:10:1: unknown key `polcy` in [restart]; did you mean `policy`?
    polcy = "always"
    ^^^^^
web.toml:11:9: `delay` must be a duration such as "200ms", "10s" or "1min 30s", not an integer; \
write delay = "5s"
    delay = 5
            ^
web.toml:14:10: "SIGTEM" is no signal; did you mean "SIGTERM"?
    signal = "SIGTEM"
             ^^^^^^^^
)"));
}

TEST(Structure, WordsOfOtherSupervisorsAreUnderstoodAsHints) {
  EXPECT_EQ(complaints(
                with_command("ExecStart = \"\"\nWorkingDirectory = \"/\"\nRestart = 1\nenv = 1\n")),
            R"(web.toml:3:1: unknown key `ExecStart` in [service]; did you mean `command`?
    ExecStart = ""
    ^^^^^^^^^
web.toml:4:1: unknown key `WorkingDirectory` in [service]; did you mean `working-directory`?
    WorkingDirectory = "/"
    ^^^^^^^^^^^^^^^^
web.toml:5:1: unknown key `Restart` in [service]; did you mean `policy` in [restart]?
    Restart = 1
    ^^^^^^^
web.toml:6:1: unknown key `env` in [service]; did you mean `environment`?
    env = 1
    ^^^
)");
}

TEST(Structure, AKeyAtTheWrongPlace) {
  EXPECT_EQ(complaints("command = [\"/bin/x\"]\n[service]\ndescription = \"x\"\n"),
            folded(R"(web.toml:1:1: unknown key `command` before the first section; did you mean \
`command` in [service]?
    command = ["/bin/x"]
    ^^^^^^^
web.toml:3:1: unknown key `description` in [service]; did you mean `description` at the top of \
the file?
    description = "x"
    ^^^^^^^^^^^
)"));
}

TEST(Structure, AKeyThatIsLikeNoneIsAnsweredWithThoseThereAre) {
  EXPECT_EQ(complaints(with_command("[stop]\nxyzzy = 1\n")),
            folded(R"(web.toml:4:1: unknown key `xyzzy` in [stop]; known here: `signal`, \
`timeout`, `scope`
    xyzzy = 1
    ^^^^^
)"));
}

TEST(Structure, UnknownSections) {
  EXPECT_EQ(complaints(with_command(
                "[sotp]\nsignal = \"TERM\"\n[depend]\n[[sokcet]]\n[[wheel]]\n[stop.zebra]\n")),
            folded(R"(web.toml:3:2: unknown section [sotp]; did you mean [stop]?
    [sotp]
     ^^^^
web.toml:5:2: unknown section [depend]; did you mean [depends]?
    [depend]
     ^^^^^^
web.toml:6:3: unknown section [sokcet]; did you mean [[socket]]?
    [[sokcet]]
      ^^^^^^
web.toml:7:3: unknown section [wheel]; known sections: [service], [[socket]], [depends], [ready], \
[health], [hooks], [restart], [stop], [timer], [conditions]
    [[wheel]]
      ^^^^^
web.toml:8:7: unknown key `zebra` in [stop]; known here: `signal`, `timeout`, `scope`
    [stop.zebra]
          ^^^^^
)"));
}

TEST(Structure, ASectionIsOneTable) {
  EXPECT_EQ(complaints("[[service]]\ncommand = [\"/bin/x\"]\n"),
            folded(R"(web.toml:1:1: a unit has one section [service]: write [service], not \
[[service]]
    [[service]]
    ^^^^^^^^^^^
)"));
  EXPECT_EQ(
      complaints("restart = \"always\"\n" + with_command("")),
      folded(R"(web.toml:1:1: `restart` is a section: write [restart] on a line of its own and \
its keys below
    restart = "always"
    ^^^^^^^
)"));
  EXPECT_EQ(complaints("service = { command = [\"/bin/x\"] }\nstop.timeout = \"1s\"\n"), "");
}

TEST(Structure, WhatIsMissing) {
  EXPECT_EQ(complaints("# nothing\n"),
            folded(R"(web.toml:1:1: no [service] section: a unit needs one, with at least a \
`command`
    # nothing
    ^
)"));
  EXPECT_EQ(complaints("[service]\nuser = \"x\"\n"),
            folded(R"(web.toml:1:1: [service] needs a `command`, such as command = \
["/usr/bin/program", "argument"]
    [service]
    ^^^^^^^^^
)"));
}

TEST(Encoding, EachHasItsOwnMessage) {
  EXPECT_EQ(complaints(""),
            "web.toml: the file is empty: a unit needs at least a [service] section with a "
            "`command`\n");
  EXPECT_EQ(complaints(std::string(kUnitFileMax + 1, '\n')),
            "web.toml: the file is longer than 1 MiB: no unit file is\n");
  EXPECT_EQ(complaints("\xff\xfe[\0s\0"), "web.toml: the file is UTF-16; save it as UTF-8\n");
  EXPECT_EQ(complaints("\xef\xbb\xbf[service]\n"),
            "web.toml: the file begins with a byte-order mark; save it as UTF-8 without one\n");
  EXPECT_EQ(complaints(std::string("[service]\nuser = \"a\0b\"\n", 22)),
            R"(web.toml:2:10: a NUL byte: this is not a text file
    user = "a?b"
             ^
)");
  EXPECT_EQ(complaints("# é\n# é \xe9t\xe9\n"),
            R"(web.toml:2:5: not UTF-8 text: the byte 0xe9 cannot stand here
    # é ?t?
        ^
)");
}

TEST(Encoding, OverlongAndSurrogateFormsAreNoUtf8) {
  for (const char* wrong : {"\xc0\x80", "\xe0\x80\x80", "\xed\xa0\x80", "\xf4\x90\x80\x80", "\xf5",
                            "\x80", "\xe2\x82", "\xf0\x9f\x98"}) {
    EXPECT_NE(complaints("# " + std::string(wrong)).find("1:3: not UTF-8 text"), std::string::npos)
        << wrong;
  }
  EXPECT_EQ(complaints("# \u00e9 \u20ac \U0001f600 \U0010ffff\n" + with_command("")), "");
}

// The TOML library's own test for blanks takes a wrong turn with these (undefined behaviour).
TEST(Encoding, LettersOutsideAsciiAreNoBlanks) {
  const std::string said = complaints(with_command("é = 1\nuser = \"x\" é\n\u3001\n"));
  EXPECT_NE(said.find("web.toml:3:1: a line begins with a key"), std::string::npos) << said;
  EXPECT_NE(said.find("web.toml:4:12: after a value nothing"), std::string::npos) << said;
  EXPECT_NE(said.find("web.toml:5:1: a line begins with a key"), std::string::npos) << said;
  const UnitSpec unit =
      testing::unit_from("description = \"\"\"\\\n  é\"\"\"\n" + with_command(""));
  EXPECT_EQ(unit.description, "é");
}

TEST(Encoding, CarriageReturnsBeforeNewlinesAreFine) {
  EXPECT_EQ(complaints("[service]\r\ncommand = [\"/bin/x\"]\r\n"), "");
  EXPECT_EQ(complaints("[service]\r\ncommand = [\"/bin/x\"]\r\nx = 1\r\n"),
            folded(R"(web.toml:3:1: unknown key `x` in [service]; known here: `type`, `command`, \
`remain-after-exit`, `pid-file`, `keep-output`, `notify-access`, `user`, `group`, \
`working-directory`, `umask`, `environment`, `environment-files`, `pass-environment`, \
`success-exit-codes`, `start`, `trigger-limit`, `trigger-interval`, `receive`, `store-max`, \
`store-preserve`
    x = 1
    ^
)"));
}

TEST(UnitName, IsThatOfTheFile) {
  EXPECT_EQ(parse_unit({"/a/b.c/web@1:x_y-z.toml", with_command("")}).spec->name, "web@1:x_y-z");
  EXPECT_EQ(complaints(with_command(""), "a/web.conf"),
            "a/web.conf: the name of a unit file ends in .toml\n");
  EXPECT_EQ(complaints(with_command(""), "a/.toml"), "a/.toml: a unit's name cannot be empty\n");
  EXPECT_EQ(
      complaints(with_command(""), "a/my web.toml"),
      "a/my web.toml: \"my web\" cannot be a unit's name: letters, digits and the characters _ . "
      "@ : - make one\n");
  EXPECT_EQ(complaints(with_command(""), "a/-x.toml"),
            "a/-x.toml: \"-x\" cannot be a unit's name: it begins with `-`\n");
  EXPECT_EQ(complaints(with_command(""), "a/worker@.toml"), "");
  EXPECT_EQ(complaints(with_command(""), "a/@3.toml"),
            "a/@3.toml: \"@3\" cannot be a unit's name: it begins with `@`\n");
  EXPECT_EQ(complaints(with_command(""), std::string(95, 'x') + ".toml"), "");
  EXPECT_NE(complaints(with_command(""), std::string(96, 'x') + ".toml")
                .find("cannot be a unit's name: it has 96 bytes, and 95 are the most\n"),
            std::string::npos);
}

TEST(UnitName, AMistakeInItDoesNotHideThoseOfTheText) {
  EXPECT_EQ(
      complaints(with_command("x-y-z = 1\n"), "a b.toml"),
      folded(R"(a b.toml: "a b" cannot be a unit's name: letters, digits and the characters _ . \
@ : - make one
a b.toml:3:1: unknown key `x-y-z` in [service]; known here: `type`, `command`, \
`remain-after-exit`, `pid-file`, `keep-output`, `notify-access`, `user`, `group`, \
`working-directory`, `umask`, `environment`, `environment-files`, `pass-environment`, \
`success-exit-codes`, `start`, `trigger-limit`, `trigger-interval`, `receive`, `store-max`, \
`store-preserve`
    x-y-z = 1
    ^^^^^
)"));
}

}  // namespace
}  // namespace foster
