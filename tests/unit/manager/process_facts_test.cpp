#include <gtest/gtest.h>

#include "daemon/manager/process_tree.hpp"

namespace foster::manager {
namespace {

std::string stat_of(const std::string& name) {
  return "42 (" + name + ") S 7 40 39 0 -1 4194560 1 0 0 0 0 0 0 0 20 0 1 0 500 1 1 1 1";
}

TEST(ProcessFacts, AreReadFromTheLastParenthesis) {
  for (const char* name : {"sh", "", "a b", ") R 1 1 1 (", "((", "x) S 9 9 9"}) {
    const auto facts = parse_process_facts(stat_of(name));
    ASSERT_TRUE(facts) << name;
    EXPECT_EQ(facts->pid, 42);
    EXPECT_EQ(facts->name, name);
    EXPECT_EQ(facts->state, 'S');
    EXPECT_EQ(facts->parent, 7);
    EXPECT_EQ(facts->group, 40);
    EXPECT_EQ(facts->session, 39);
    EXPECT_GT(facts->started.ns, 0);
    EXPECT_TRUE(facts->alive());
  }
}

TEST(ProcessFacts, ATextThatIsCutIsNone) {
  const std::string whole = stat_of("sh");
  const size_t start_time = whole.find("500");
  for (size_t length = 0; length < start_time; ++length)
    EXPECT_FALSE(parse_process_facts(whole.substr(0, length))) << length;
}

}  // namespace
}  // namespace foster::manager
