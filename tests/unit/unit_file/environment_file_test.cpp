// Files of NAME=value lines.

#include "common/unit/environment_file.hpp"

#include <gtest/gtest.h>

#include "tests/unit/unit_file/parsing.hpp"

namespace foster {
namespace {

std::string variables(std::string_view text) {
  const EnvironmentFileContent content = parse_environment_file("web.env", text);
  std::string all;
  for (const Diagnostic& diagnostic : content.diagnostics)
    all += render(diagnostic);
  EXPECT_EQ(all, "");
  all.clear();
  for (const auto& [name, value] : content.variables)
    all += name + "=<" + value + ">\n";
  return all;
}

std::string complaints(std::string_view text) {
  std::string all;
  for (const Diagnostic& diagnostic : parse_environment_file("web.env", text).diagnostics)
    all += render(diagnostic);
  return all;
}

TEST(EnvironmentFile, PlainLines) {
  EXPECT_EQ(variables(""), "");
  EXPECT_EQ(variables("A=1\nB= two words \n\n  C=3"), "A=<1>\nB=<two words>\nC=<3>\n");
  EXPECT_EQ(variables("# c\n ; c\nA=x # kept\nB=\nC=a=b\nA=again\n"),
            "A=<x # kept>\nB=<>\nC=<a=b>\nA=<again>\n");
  EXPECT_EQ(variables("A=1\r\nB=2\r\n"), "A=<1>\nB=<2>\n");
  EXPECT_EQ(variables("export A=1\nexport B='2'\n"), "A=<1>\nB=<2>\n");
  EXPECT_EQ(variables("\xef\xbb\xbf"
                      "A=1\n"),
            "A=<1>\n");
  EXPECT_EQ(variables("A=C:\\new $x\n"), "A=<C:\\new $x>\n");
}

TEST(EnvironmentFile, Quotes) {
  EXPECT_EQ(variables("A='$x \\n \"'\n"), "A=<$x \\n \">\n");
  EXPECT_EQ(variables(R"(A="a\"b\\c\$d\`e\nf\tg")"), "A=<a\"b\\c$d`e\nf\tg>\n");
  EXPECT_EQ(variables("A=\"two\nlines\" # comment\nB=''\n"), "A=<two\nlines>\nB=<>\n");
  EXPECT_EQ(variables("A=\"one \\\nline\"\n"), "A=<one line>\n");
  EXPECT_EQ(variables("A=it's\n"), "A=<it's>\n");
}

TEST(EnvironmentFile, EveryMistakeAtOnce) {
  EXPECT_EQ(complaints("A\nexport B\n1C=x\nD =x\nE='x' y\nF=\"\\q\"\nG=ok\nH='"),
            testing::folded(R"(web.env:1:1: expected NAME=value
    A
    ^
web.env:2:1: expected NAME=value
    export B
    ^^^^^^^^
web.env:3:1: "1C" cannot be a variable's name: letters, digits, `_`, `.` and `-` make one, a \
letter or `_` first
    1C=x
    ^^
web.env:4:1: "D " cannot be a variable's name: letters, digits, `_`, `.` and `-` make one, a \
letter or `_` first
    D =x
    ^^
web.env:5:7: text after the closing quote; put quotes round the whole value
    E='x' y
          ^
web.env:6:4: unknown escape `\q`; known are \" \\ \$ \` \n \t, and write \\ for a backslash itself
    F="\q"
       ^^
web.env:8:3: the quote ' is not closed
    H='
      ^
)"));
  EXPECT_EQ(complaints("=x\n"), R"(web.env:1:1: a variable's name cannot be empty
    =x
    ^
)");
  EXPECT_EQ(complaints(std::string_view("A=1\nB=a\0b\n", 10)),
            R"(web.env:2:4: a NUL byte: this is not a text file
    B=a?b
       ^
)");
}

TEST(EnvironmentFile, EveryPrefixIsReadWithoutACrash) {
  constexpr std::string_view kText = "export A='x\ny'\nB=\"\\n\\\n\" # c\n ;\nC=é\n";
  for (size_t length = 0; length <= kText.size(); ++length) {
    for (const Diagnostic& diagnostic :
         parse_environment_file("x", kText.substr(0, length)).diagnostics) {
      EXPECT_GE(diagnostic.line, 1U);
    }
  }
}

}  // namespace
}  // namespace foster
