// Mistakes against TOML: what is said, and that the rest of the file is judged all the same.

#include "tests/unit/unit_file/parsing.hpp"

namespace foster {
namespace {

using testing::complaints;
using testing::folded;
using testing::with_command;

/// What is said about one line in [service], without the lines that quote it.
std::string said(const std::string& line) {
  const std::vector<Diagnostic> diagnostics =
      parse_unit({"web.toml", with_command(line + "\n")}).diagnostics;
  std::string all;
  for (const Diagnostic& diagnostic : diagnostics) {
    all += std::to_string(diagnostic.line) + ":" + std::to_string(diagnostic.column) + "+" +
           std::to_string(diagnostic.length) + " " + diagnostic.message + "\n";
  }
  return all;
}

TEST(Syntax, StringsWithoutQuotes) {
  EXPECT_EQ(said("user = nginx"), "3:8+5 a string needs quotes: write \"nginx\"\n");
  EXPECT_EQ(said("user = nobody # x"), "3:8+6 a string needs quotes: write \"nobody\"\n");
  EXPECT_EQ(said("type = true story"), "3:8+10 a string needs quotes: write \"true story\"\n");
  EXPECT_EQ(said("umask = 0022"),
            "3:9+4 a number does not begin with 0; write \"0022\", or 0o022 for an octal one\n");
  EXPECT_EQ(said("working-directory = /srv/www"),
            "3:21+8 a string needs quotes: write \"/srv/www\"\n");
  EXPECT_EQ(said("environment-files = [/etc/a, \"/etc/b\"]"),
            "3:22+6 a string needs quotes: write \"/etc/a\"\n");
  EXPECT_EQ(said("environment = { A = b }"), "3:21+1 a string needs quotes: write \"b\"\n");
  EXPECT_EQ(said("user = \u201cnginx\u201d"),
            "3:8+7 these are not the quotes of TOML: write \" or '\n");
  EXPECT_EQ(complaints("essential = yes\n" + with_command("[restart]\ndelay = 10s\n")),
            R"(web.toml:1:13: this is no value: write true, or "yes" for a string
    essential = yes
                ^^^
web.toml:5:9: a string needs quotes: write "10s"
    delay = 10s
            ^^^
)");
}

TEST(Syntax, StringsWithoutEnd) {
  EXPECT_EQ(said("user = \"x"), "3:8+2 the string is not closed: \" is missing at its end\n");
  EXPECT_EQ(said("user = 'x"), "3:8+2 the string is not closed: ' is missing at its end\n");
  EXPECT_EQ(said("user = \"\"\"x"),
            "3:8+4 the string is not closed: \"\"\" is missing at its end\n");
  EXPECT_EQ(
      said("user = \"a\\d\""),
      "3:10+2 unknown escape \\d; write \\\\ for a backslash itself, or put the string into single "
      "quotes\n");
  EXPECT_EQ(said("user = \"a\x01\""),
            "3:10+1 a control character in a string; write it as an escape such as \\u001b\n");
}

TEST(Syntax, KeysAndValues) {
  EXPECT_EQ(said("user"), "3:1+4 after \"user\" `=` and a value are missing\n");
  EXPECT_EQ(said("user ="), "3:6+1 after `=` a value is missing\n");
  EXPECT_EQ(said("user: \"x\""), "3:5+1 between a key and its value belongs `=`, not `:`\n");
  EXPECT_EQ(said("user \"x\""), "3:6+1 between a key and its value `=` is missing\n");
  EXPECT_EQ(said("= \"x\""), "3:1+1 before `=` a key is missing\n");
  EXPECT_EQ(said("; user"), "3:1+1 a comment begins with `#`, not with `;`\n");
  EXPECT_EQ(said("user = \"x\";"), "3:11+1 no `;` ends a line of TOML\n");
  EXPECT_EQ(said("user = \"x\" y"), "3:12+1 after a value nothing but a comment may follow\n");
  EXPECT_EQ(said("%"), "3:1+1 a line begins with a key, a [section] or `#`\n");
}

TEST(Syntax, ArraysAndTables) {
  EXPECT_EQ(said("pass-environment = [\"a\" \"b\"]"),
            "3:25+1 between two values of an array a comma is missing\n");
  EXPECT_EQ(said("pass-environment = [\"a\",, \"b\"]"),
            "3:25+1 a value is missing before this comma\n");
  EXPECT_EQ(said("pass-environment = [\"a, \"b\"]"),
            "3:26+1 after a value of an array or table belongs a comma, or its end; is a quote "
            "missing?\n");
  EXPECT_EQ(said("environment = { A = \"1\", }"),
            "3:26+1 no comma stands before the } of a table\n");
  EXPECT_EQ(
      said("environment = {\n  A = \"1\",\n  B = \"2\"\n}\nuser = 5"),
      "3:15+1 a table in braces ends on the line where it begins; for more lines write a section "
      "such as [service.environment]\n"
      "7:8+1 `user` must be a string: a user's name or number, not an integer; write user = "
      "\"5\"\n");
}

TEST(Syntax, AnArrayLeftOpenDoesNotSwallowWhatFollows) {
  EXPECT_EQ(
      complaints("[service]\ncommand = [\"/bin/x\",\n  \"-v\"\nuser = 5\n[restart]\ndelay = 1\n"),
      folded(R"(web.toml:2:11: the array that begins here is not closed: a ] is missing at its end
    command = ["/bin/x",
              ^
web.toml:4:8: `user` must be a string: a user's name or number, not an integer; write user = "5"
    user = 5
           ^
web.toml:6:9: `delay` must be a duration such as "200ms", "10s" or "1min 30s", not an integer; \
write delay = "1s"
    delay = 1
            ^
)"));
  EXPECT_EQ(said("pass-environment = [\"a\",\n[restart]\ndelay = 1"),
            "3:20+1 the array that begins here is not closed: a ] is missing at its end\n"
            "5:9+1 `delay` must be a duration such as \"200ms\", \"10s\" or \"1min 30s\", not an "
            "integer; "
            "write delay = \"1s\"\n");
  EXPECT_EQ(said("pass-environment = [\"a\","),
            "3:20+1 the array that begins here is not closed: a ] is missing at its end\n");
}

TEST(Syntax, AMistakeWithinAnArrayOfManyLinesIsToldOnce) {
  EXPECT_EQ(said("pass-environment = [\n  \"A\",\n  B,\n  \"C\",\n]\nuser = 5"),
            "5:3+1 a string needs quotes: write \"B\"\n"
            "8:8+1 `user` must be a string: a user's name or number, not an integer; write user = "
            "\"5\"\n");
}

TEST(Syntax, Headers) {
  const std::string wrong =
      "a section begins with its name in brackets on a line of its own, such as [service]\n";
  EXPECT_EQ(said("[stop"), "3:1+5 " + wrong);
  EXPECT_EQ(said("[stop]]"), "3:1+7 " + wrong);
  EXPECT_EQ(said("[the stop]"), "3:1+10 " + wrong);
  EXPECT_EQ(said("[]"), "3:1+2 " + wrong);
  EXPECT_EQ(said("[=]"), "3:1+3 " + wrong);
  // The keys under a broken header are not blamed for standing in another section.
  EXPECT_EQ(said("[stop\ntimeout = \"1s\"\n[restart]\nx-y-z = 1"),
            "3:1+5 " + wrong +
                "6:1+5 unknown key `x-y-z` in [restart]; known here: `policy`, `delay`, `factor`, "
                "`max-delay`, `jitter`, `reset-after`, `limit`, `limit-interval`, `limit-action`, "
                "`limit-unit`, `prevent-exit-codes`, `force-exit-codes`, `overlap`\n");
}

TEST(Syntax, TwiceTheSame) {
  EXPECT_EQ(said("user = \"a\"\ngroup = \"b\"\nuser = \"c\""),
            "5:1+4 `user` is set twice; the first is in line 3\n");
  EXPECT_EQ(said("[stop]\ntimeout = \"1s\"\n[restart]\n[stop]\nsignal = \"TERM\""),
            "6:2+4 the section [stop] is there twice; the first is in line 3\n");
  EXPECT_EQ(said("environment = { A = \"1\", A = \"2\" }"), "3:26+1 `A` is set twice\n");
  EXPECT_EQ(said("environment.A = \"1\"\nenvironment.A.B = \"2\""),
            "4:1+15 `environment.A.B` cannot be set here: a part of it is set already\n");
}

TEST(Syntax, SeveralInOneFile) {
  EXPECT_EQ(said("user = a\ngroup = b\n[stop]\ntimeout = 1s\nsignal = \"TERM"),
            "3:8+1 a string needs quotes: write \"a\"\n"
            "4:9+1 a string needs quotes: write \"b\"\n"
            "6:11+2 a string needs quotes: write \"1s\"\n"
            "7:10+5 the string is not closed: \" is missing at its end\n");
}

TEST(Syntax, WhatIsLeftOutIsNotMissed) {
  EXPECT_EQ(complaints("[service]\ncommand = /bin/x\n"),
            R"(web.toml:2:11: a string needs quotes: write "/bin/x"
    command = /bin/x
              ^^^^^^
)");
}

TEST(Syntax, Depth) {
  EXPECT_EQ(said("user = " + std::string(2000, '[')),
            "3:40+1 values are nested deeper than 32 levels\n");
  std::string deep = "a";
  for (int i = 0; i < 200'000; ++i)
    deep += ".a";
  EXPECT_EQ(said(deep + " = 1"), "3:34+1 a key with more than 16 dots\n");
  EXPECT_EQ(said("[" + deep + "]"), "3:35+1 a key with more than 16 dots\n");
  EXPECT_EQ(complaints(with_command(
                "# ...................\nuser = \"a.b.c.d.e.f.g.h.i.j.k.l.m.n.o.p.q.r.s\"\n")),
            "");
}

TEST(Syntax, NumbersAndTheRest) {
  EXPECT_EQ(said("umask = 99999999999999999999"), "3:9+20 the number is too large\n");
  EXPECT_EQ(said("user = \"x\"\rgroup = \"y\""),
            "3:12+1 a carriage return without the newline that belongs to it\n");
  EXPECT_EQ(
      said("a..b = 1"),
      "3:3+1 not valid TOML: expected bare key starting character or string delimiter, saw '.'\n");
}

}  // namespace
}  // namespace foster
