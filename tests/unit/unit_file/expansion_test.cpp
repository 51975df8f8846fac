// ${NAME} in commands.

#include "common/unit/expansion.hpp"

#include <gtest/gtest.h>

namespace foster {
namespace {

const std::vector<std::pair<std::string, std::string>> kVariables{
    {"HOME", "/root"}, {"EMPTY", ""}, {"A_1", "${HOME} $x"}, {"TWICE", "first"}, {"TWICE", "last"}};

std::string expanded(const std::string& text) {
  const Result<std::string> result = expand(text, kVariables);
  return result ? *result : "error: " + result.error().message;
}

TEST(Expansion, WhatIsExpanded) {
  EXPECT_EQ(expanded("${HOME}"), "/root");
  EXPECT_EQ(expanded("a${HOME}b${HOME}"), "a/rootb/root");
  EXPECT_EQ(expanded("${EMPTY}"), "");
  EXPECT_EQ(expanded("${TWICE}"), "last");
}

TEST(Expansion, WhatStaysAsItIs) {
  EXPECT_EQ(expanded(""), "");
  EXPECT_EQ(expanded("plain {text}"), "plain {text}");
  EXPECT_EQ(expanded("$HOME $ $1 a$"), "$HOME $ $1 a$");
}

TEST(Expansion, TwoDollarsAreOne) {
  EXPECT_EQ(expanded("$$"), "$");
  EXPECT_EQ(expanded("$${HOME}"), "${HOME}");
  EXPECT_EQ(expanded("$$$${HOME}"), "$${HOME}");
  EXPECT_EQ(expanded("$$${HOME}"), "$/root");
}

TEST(Expansion, ValuesAreNotExpandedAgain) {
  EXPECT_EQ(expanded("<${A_1}>"), "<${HOME} $x>");
}

TEST(Expansion, Errors) {
  EXPECT_EQ(expanded("x${NOPE}"),
            "error: cannot expand `${NOPE}`: the environment has no such variable");
  EXPECT_EQ(expanded("x${HOME"), "error: cannot expand `${HOME`: `${` without a `}`");
  EXPECT_EQ(expanded("${}"), "error: cannot expand `${}`: `${}` names no variable");
}

TEST(Expansion, ACommandIsExpandedStringByString) {
  const auto command = expand_command({"/bin/x", "${A_1}", "${EMPTY}"}, kVariables);
  ASSERT_TRUE(command);
  EXPECT_EQ(*command, (std::vector<std::string>{"/bin/x", "${HOME} $x", ""}));
  EXPECT_FALSE(expand_command({"/bin/x", "${NOPE}"}, kVariables));
}

TEST(Expansion, CheckFindsAllMistakesWithTheirOffsets) {
  const std::vector<ExpansionMistake> mistakes = check_expansion("$$ ${1} ${OK} ${a b} ${");
  ASSERT_EQ(mistakes.size(), 3U);
  EXPECT_EQ(mistakes[0].offset, 3U);
  EXPECT_EQ(mistakes[0].length, 4U);
  EXPECT_EQ(mistakes[1].offset, 14U);
  EXPECT_EQ(mistakes[1].length, 6U);
  EXPECT_EQ(mistakes[2].offset, 21U);
  EXPECT_EQ(mistakes[2].length, 2U);
  EXPECT_TRUE(check_expansion("${A} $$ $ $x $${").empty());
}

TEST(Expansion, WhatChecksWellFailsOnlyForWantOfAVariable) {
  for (const char* text : {"$", "$$", "$$$", "${X}", "$${", "a${B_2}$", "$}{"}) {
    EXPECT_TRUE(check_expansion(text).empty()) << text;
    const Result<std::string> result = expand(text, {});
    EXPECT_TRUE(result || result.error().message.ends_with("the environment has no such variable"));
  }
}

}  // namespace
}  // namespace foster
