// All units together: names, order, patterns.

#include "common/unit/unit_set.hpp"

#include "tests/unit/unit_file/parsing.hpp"

namespace foster {
namespace {

SourceFile source(const std::string& path) {
  return {path, testing::with_command("")};
}

std::string rendered(const CheckedSet& checked) {
  std::string all;
  for (const Diagnostic& diagnostic : checked.diagnostics)
    all += render(diagnostic);
  return all;
}

std::string names(const UnitSet& set, std::string_view pattern) {
  std::string all;
  for (const UnitIndex unit : set.matching(pattern))
    all += set[unit].name + " ";
  return all;
}

TEST(UnitSet, IsSortedByName) {
  const CheckedSet checked =
      build_unit_set({source("/u/web.toml"), source("/u/db.toml"), source("/v/cache.toml")}, {});
  ASSERT_TRUE(checked.set);
  EXPECT_EQ(checked.set->size(), 3U);
  EXPECT_EQ(names(*checked.set, "*"), "cache db web ");
  EXPECT_EQ(checked.set->find("db")->value, 1U);
  EXPECT_EQ((*checked.set)[UnitIndex{2}].file, "/u/web.toml");
  EXPECT_FALSE(checked.set->find("d"));
  EXPECT_FALSE(checked.set->find("zzz"));
}

TEST(UnitSet, MayBeEmpty) {
  const CheckedSet checked = build_unit_set({}, {});
  ASSERT_TRUE(checked.set);
  EXPECT_EQ(checked.set->size(), 0U);
  EXPECT_EQ(names(*checked.set, "*"), "");
}

TEST(UnitSet, Patterns) {
  const CheckedSet checked = build_unit_set(
      {source("web-1.toml"), source("web-2.toml"), source("web.toml"), source("db.toml")}, {});
  EXPECT_EQ(names(*checked.set, "web-*"), "web-1 web-2 ");
  EXPECT_EQ(names(*checked.set, "web-[!1]"), "web-2 ");
  EXPECT_EQ(names(*checked.set, "??"), "db ");
  EXPECT_EQ(names(*checked.set, "web"), "web ");
  EXPECT_EQ(names(*checked.set, "we"), "");
  EXPECT_EQ(names(*checked.set, ""), "");
  EXPECT_EQ(names(*checked.set, "["), "");
  EXPECT_EQ(names(*checked.set, "w\\eb"), "web ");
}

TEST(UnitSet, TwoFilesForOneName) {
  const CheckedSet checked = build_unit_set({source("/a/web.toml"),
                                             source("/b/db.toml"),
                                             {"/b/web.toml", "x = 1\n"},
                                             source("/c/web.toml")},
                                            {});
  EXPECT_FALSE(checked.set);
  EXPECT_EQ(rendered(checked),
            testing::folded(R"(/b/web.toml: a unit of this name is there already: \
/a/web.toml
/b/web.toml:1:1: unknown key `x` before the first section; known here: `description`, `enabled`, \
`essential`, `restart-dependents`, `instances`
    x = 1
    ^
/b/web.toml:1:1: no [service] section: a unit needs one, with at least a `command`
    x = 1
    ^
/c/web.toml: a unit of this name is there already: /a/web.toml
)"));
}

TEST(UnitSet, OneBadFileHidesNoOther) {
  Diagnostic unreadable;
  unreadable.file = "/u/b.toml";
  unreadable.message = "cannot read: Permission denied";
  const CheckedSet checked = build_unit_set({{"/u/c.toml", "a ="},
                                             source("/u/ok.toml"),
                                             {"/u/a.toml", "\xff"},
                                             {"/u/d.toml", testing::with_command("user = 1\n")}},
                                            {unreadable});
  EXPECT_FALSE(checked.set);
  EXPECT_EQ(rendered(checked),
            testing::folded(R"(/u/a.toml:1:1: not UTF-8 text: the byte 0xff cannot \
stand here
    ?
    ^
/u/b.toml: cannot read: Permission denied
/u/c.toml:1:3: after `=` a value is missing
    a =
      ^
/u/d.toml:3:8: `user` must be a string: a user's name or number, not an integer; write user = "1"
    user = 1
           ^
)"));
}

TEST(UnitSet, AnUnreadableFileAloneMakesTheSetUnusable) {
  EXPECT_FALSE(build_unit_set({source("a.toml")}, {Diagnostic{}}).set);
}

TEST(UnitSetDeathTest, NamesMustDiffer) {
  UnitSpec unit;
  unit.name = "a";
  EXPECT_DEATH(UnitSet({unit, unit}), "broken invariant");
}

TEST(UnitSetDeathTest, ThereIsAnOrder) {
  UnitSpec one;
  one.name = "a";
  one.depends.make().after.push_back({"b", false, {}});
  UnitSpec other;
  other.name = "b";
  other.depends.make().before.push_back({"a", false, {}});
  EXPECT_EQ(UnitSet({one, other}).graph().start_order(2).size(), 2U);
  other.depends.make().after.push_back({"a", false, {}});
  EXPECT_DEATH(UnitSet({one, other}), "broken invariant");
}

}  // namespace
}  // namespace foster
