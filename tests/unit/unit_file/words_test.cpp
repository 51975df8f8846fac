// Signals by name, nearest words, and how a diagnostic is shown.

#include <csignal>
#include <gtest/gtest.h>
#include <vector>

#include "common/nearest_word.hpp"
#include "common/signal_name.hpp"
#include "common/unit/diagnostic.hpp"

namespace foster {
namespace {

TEST(SignalName, FromText) {
  EXPECT_EQ(signal_number("SIGTERM"), SIGTERM);
  EXPECT_EQ(signal_number("term"), SIGTERM);
  EXPECT_EQ(signal_number("sigTerm"), SIGTERM);
  EXPECT_EQ(signal_number("15"), 15);
  EXPECT_EQ(signal_number("SIGRTMIN"), SIGRTMIN);
  EXPECT_EQ(signal_number("SIGRTMIN+3"), SIGRTMIN + 3);
  EXPECT_EQ(signal_number("RTMAX-1"), SIGRTMAX - 1);
  EXPECT_EQ(signal_number("64"), 64);
  for (const char* wrong : {"", "SIG", "SIGSIGTERM", "0", "-1", "32", "65", "1x", "RTMIN-1",
                            "RTMIN+", "RTMIN+31", "RTMAX+1", "RTMIN+-1", "99999999999"}) {
    EXPECT_FALSE(signal_number(wrong)) << wrong;
  }
}

TEST(SignalName, ToTextAndBack) {
  EXPECT_EQ(signal_name(SIGKILL), "SIGKILL");
  EXPECT_EQ(signal_name(SIGABRT), "SIGABRT");
  EXPECT_EQ(signal_name(SIGCHLD), "SIGCHLD");
  EXPECT_EQ(signal_name(SIGRTMIN + 3), "SIGRTMIN+3");
  EXPECT_EQ(signal_name(33), "signal 33");
  EXPECT_EQ(signal_name(0), "signal 0");
  for (int number = 1; number <= SIGRTMAX; ++number) {
    if (number > SIGSYS && number < SIGRTMIN) continue;
    EXPECT_EQ(signal_number(signal_name(number)), number);
  }
}

TEST(SignalName, Nearest) {
  EXPECT_EQ(nearest_signal_name("SIGTEM"), "SIGTERM");
  EXPECT_EQ(nearest_signal_name("sigkil"), "SIGKILL");
  EXPECT_EQ(nearest_signal_name("politely"), "");
}

TEST(NearestWord, Distance) {
  EXPECT_EQ(edit_distance("", ""), 0U);
  EXPECT_EQ(edit_distance("abc", ""), 3U);
  EXPECT_EQ(edit_distance("abc", "abd"), 1U);
  EXPECT_EQ(edit_distance("comamnd", "command"), 1U);
  EXPECT_EQ(edit_distance("Max_Delay", "max-delay"), 0U);
  EXPECT_EQ(edit_distance("kitten", "sitting"), 3U);
}

TEST(NearestWord, FindsTheNearestOrNone) {
  const std::vector<std::string_view> words{"delay", "max-delay", "factor", "limit"};
  EXPECT_EQ(nearest_word("dleay", words), "delay");
  EXPECT_EQ(nearest_word("maxdelay", words), "max-delay");
  EXPECT_EQ(nearest_word("fctr", words), "");
  EXPECT_EQ(nearest_word("fact0r", words), "factor");
  EXPECT_EQ(nearest_word("", words), "");
  EXPECT_EQ(nearest_word(std::string(1000, 'x'), words), "");
  EXPECT_EQ(nearest_word("delay", {}), "");
}

TEST(Diagnostic, WithoutAPlace) {
  EXPECT_EQ(render({"a.toml", 0, 0, 1, "cannot read: Permission denied", ""}),
            "a.toml: cannot read: Permission denied\n");
}

TEST(Diagnostic, CaretsStandUnderTheirCharacters) {
  EXPECT_EQ(render({"a.toml", 3, 9, 5, "wrong", "key\t=\té \"x\""}),
            "a.toml:3:9: wrong\n    key\t=\té \"x\"\n       \t \t  ^^^\n");
  EXPECT_EQ(render({"a.toml", 1, 4, 1, "missing", "abc"}),
            "a.toml:1:4: missing\n    abc\n       ^\n");
  EXPECT_EQ(render({"a.toml", 1, 2, 90, "to the end", "abc"}),
            "a.toml:1:2: to the end\n    abc\n     ^^\n");
}

TEST(Diagnostic, NothingReachesTheTerminalThatItWouldActUpon) {
  EXPECT_EQ(render({"a\n.toml", 1, 1, 1, "say \x1b[2J", "\x1b]0;x\x07\x7f\xff\u009b31m"}),
            "a?.toml:1:1: say ?[2J\n    ?]0;x????31m\n    ^\n");
  EXPECT_EQ(quoted_text("a\n\x1b"), "\"a??\"");
}

TEST(Diagnostic, ALongLineIsShownRoundThePlace) {
  const std::string line = std::string(300, 'a') + "X" + std::string(300, 'b');
  EXPECT_EQ(render({"a.toml", 1, 301, 1, "here", line}),
            "a.toml:1:301: here\n    " + std::string(60, 'a') + "X" + std::string(99, 'b') +
                "\n    " + std::string(60, ' ') + "^\n");
}

TEST(Diagnostic, LongValuesAreCutBetweenCharacters) {
  EXPECT_EQ(quoted_text(std::string(100, 'x')), "\"" + std::string(60, 'x') + "...\"");
  EXPECT_EQ(quoted_text(std::string(59, 'x') + "éé"), "\"" + std::string(59, 'x') + "...\"");
}

}  // namespace
}  // namespace foster
