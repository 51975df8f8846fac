// What the units say of each other: names, order, contradictions.

#include <chrono>

#include "common/unit/graph_check.hpp"
#include "tests/unit/unit_file/parsing.hpp"

namespace foster {
namespace {

using testing::folded;
using testing::said_of;
using testing::set_of;
using testing::unit_file;
using testing::with_command;

SourceFile oneshot(const std::string& name, const std::string& depends = {}) {
  return {name + ".toml", with_command("type = \"oneshot\"\n[depends]\n" + depends)};
}

/// "web requires db; ..."
std::string edges_of(const UnitSet& set) {
  std::string all;
  for (const Edge& edge : set.graph().edges())
    all += set[edge.from].name + " " + edge_text(edge.kind) + " " + set[edge.to].name + "; ";
  return all;
}

TEST(Depends, EveryKeyBecomesAnEdge) {
  const auto set = set_of({unit_file("a", R"(requires = ["b"]
binds-to = ["c"]
wants = ["d"]
completed = ["e"]
after = ["f"]
before = ["g"]
part-of = ["h"]
required-by = ["i"]
wanted-by = ["j"]
)"),
                           unit_file("b", ""), unit_file("c", ""), unit_file("d", ""), oneshot("e"),
                           unit_file("f", ""), unit_file("g", ""), unit_file("h", ""),
                           unit_file("i", ""), unit_file("j", "")});
  EXPECT_EQ(edges_of(*set),
            "a requires b; a binds-to c; a wants d; a completed e; a after f; a part-of h; g after "
            "a; i requires a; j wants a; ");
}

TEST(Depends, WhatIsSaidTwiceIsOneEdge) {
  const auto set = set_of({unit_file("a", "requires = [\"b\", \"b\"]\nbinds-to = [\"b\"]\n"),
                           unit_file("b", "required-by = [\"a\"]\n")});
  EXPECT_EQ(edges_of(*set), "a binds-to b; ");
}

TEST(Depends, ANameIsThatOfAUnit) {
  EXPECT_EQ(said_of({unit_file("web", R"(requires = ["dbb", "db.toml", "db.service"]
wants = ["-cache", "metrics"]
after = ["a b", "worker@"]
)"),
                     unit_file("db", "")}),
            folded(R"(web.toml:4:13: there is no unit "dbb"; did you mean "db"?
    requires = ["dbb", "db.toml", "db.service"]
                ^^^^^
web.toml:4:20: there is no unit "db.toml"; did you mean "db"?
    requires = ["dbb", "db.toml", "db.service"]
                       ^^^^^^^^^
web.toml:4:31: there is no unit "db.service"; did you mean "db"?
    requires = ["dbb", "db.toml", "db.service"]
                                  ^^^^^^^^^^^^
web.toml:5:20: there is no unit "metrics"; write "-metrics" if it may be missing
    wants = ["-cache", "metrics"]
                       ^^^^^^^^^
web.toml:6:10: "a b" cannot be a unit's name: letters, digits and the characters _ . @ : - make one
    after = ["a b", "worker@"]
             ^^^^^
web.toml:6:17: "worker@" is a template: name one of its instances, such as "worker@1"
    after = ["a b", "worker@"]
                    ^^^^^^^^^
)"));
}

TEST(Depends, OfATemplateThatAcceptsTheListeningUnitIsNamed) {
  const SourceFile echo{"echo@.toml",
                        with_command("[[socket]]\nlisten = \"unix://@x\"\naccept = true\n")};
  const auto set = set_of({echo, unit_file("web", R"(requires = ["echo@"])")});
  ASSERT_NE(set, nullptr);
  EXPECT_EQ(edges_of(*set), "web requires echo@; ");
  EXPECT_EQ(
      said_of({echo, unit_file("web", R"(requires = ["echo@1"]
after = ["echo@2"])")}),
      folded(R"(web.toml:4:13: "echo@1" is started by a connection alone; "echo@" is the unit \
that listens
    requires = ["echo@1"]
                ^^^^^^^^
)"));
}

TEST(Depends, AnotherTemplateIsNoUnit) {
  const SourceFile worker{"worker@.toml", with_command("")};
  EXPECT_EQ(said_of({worker, unit_file("web", R"(wants = ["-worker@"])")}),
            R"(web.toml:4:10: "worker@" is a template: name one of its instances, such as "worker@1"
    wants = ["-worker@"]
             ^^^^^^^^^^
)");
}

TEST(Depends, NamesOfOtherKeysAreJudgedAsWell) {
  EXPECT_EQ(said_of({{"a.toml", with_command(R"([hooks]
on-failure = "mial"
[restart]
limit-action = "start-unit"
limit-unit = "a"
)")},
                     unit_file("mail", "")}),
            R"(a.toml:4:14: there is no unit "mial"; did you mean "mail"?
    on-failure = "mial"
                 ^^^^^^
a.toml:7:14: `limit-unit` names the unit itself
    limit-unit = "a"
                 ^^^
)");
}

TEST(Depends, AUnitWithMistakesIsThereAllTheSame) {
  EXPECT_EQ(said_of({unit_file("web", "requires = [\"db\"]\ncompleted = [\"db\"]\n"),
                     {"db.toml", "x = \n"}}),
            R"(db.toml:1:3: after `=` a value is missing
    x = 
      ^
)");
}

TEST(Depends, NamesInAUnitWithMistakesAreJudgedAsWell) {
  EXPECT_EQ(said_of({{"web.toml", with_command("usr = 1\n[depends]\nwants = [\"dbb\"]\n")},
                     unit_file("db", "")}),
            R"(web.toml:3:1: unknown key `usr` in [service]; did you mean `user`?
    usr = 1
    ^^^
web.toml:5:10: there is no unit "dbb"; did you mean "db"?
    wants = ["dbb"]
             ^^^^^
)");
}

TEST(Depends, PartOfTheUnitsMayNameOthers) {
  SetOptions options;
  options.partial = true;
  EXPECT_EQ(said_of({unit_file("web", "requires = [\"db\", \"web\"]\n")}, options),
            R"(web.toml:4:19: `requires` names the unit itself
    requires = ["db", "web"]
                      ^^^^^
)");
}

TEST(Depends, OnlyAOneshotCompletes) {
  EXPECT_EQ(said_of({unit_file("web", "completed = [\"db\", \"migrate\"]\n"), unit_file("db", ""),
                     oneshot("migrate")}),
            folded(R"(web.toml:4:14: "db" never counts as completed: it is no oneshot; use \
`requires` to wait until it is up
    completed = ["db", "migrate"]
                 ^^^^
)"));
}

TEST(Cycles, AreShownAsTheChainWithEachEdge) {
  EXPECT_EQ(said_of({unit_file("a", "requires = [\"b\"]\n"),
                     unit_file("b", "wants = [\"a\"]\nbefore = [\"d\"]\nafter = [\"c\"]\n"),
                     oneshot("c", "binds-to = [\"a\"]\n"), unit_file("d", "")}),
            folded(R"(a.toml:4:13: a cycle: each of these units waits for the next: a -> b \
(requires, a.toml:4) -> c (after, b.toml:6) -> a (binds-to, c.toml:5)
    requires = ["b"]
                ^^^
)"));
}

TEST(Cycles, ReverseKeysAreShownWhereTheyStand) {
  EXPECT_EQ(said_of({unit_file("a", ""),
                     unit_file("b", "required-by = [\"a\"]\nbefore = [\"c\"]\nafter = [\"c\"]\n"),
                     unit_file("c", "")}),
            folded(R"(b.toml:6:10: a cycle: each of these units waits for the next: b -> c \
(after, b.toml:6) -> b (before, b.toml:5)
    after = ["c"]
             ^^^
)"));
}

TEST(Cycles, EachIsShownOnceAndInOrder) {
  EXPECT_EQ(
      said_of({unit_file("a", "after = [\"b\", \"c\"]\n"), unit_file("b", "after = [\"a\"]\n"),
               unit_file("c", "after = [\"d\"]\n"), unit_file("d", "after = [\"c\"]\n")}),
      folded(R"(a.toml:4:10: a cycle: each of these units waits for the next: a -> b \
(after, a.toml:4) -> a (after, b.toml:4)
    after = ["b", "c"]
             ^^^
c.toml:4:10: a cycle: each of these units waits for the next: c -> d (after, c.toml:4) -> c \
(after, d.toml:4)
    after = ["d"]
             ^^^
)"));
}

TEST(Cycles, WantsAndConflictsMakeNone) {
  EXPECT_EQ(said_of({unit_file("a", "wants = [\"b\"]\npart-of = [\"b\"]\n"),
                     unit_file("b", "wants = [\"a\"]\npart-of = [\"a\"]\n")}),
            "");
}

TEST(Conflicts, AUnitCannotNeedBoth) {
  EXPECT_EQ(said_of({{"all.toml", "enabled = false\n" + unit_file("", "requires = [\"x\"]\n").text},
                     {"x.toml", "enabled = false\n" +
                                    unit_file("", "requires = [\"a\"]\nbinds-to = [\"b\"]\n").text},
                     {"a.toml", "enabled = false\n" + unit_file("", "conflicts = [\"b\"]\n").text},
                     unit_file("b", "")}),
            R"(a.toml:5:14: "a" and "b" conflict, and "x" needs both
    conflicts = ["b"]
                 ^^^
)");
  EXPECT_EQ(
      said_of({{"a.toml", "enabled = false\n" +
                              unit_file("", "requires = [\"b\"]\nconflicts = [\"b\"]\n").text},
               unit_file("b", "")}),
      R"(a.toml:6:14: "a" and "b" conflict, and "a" needs the other
    conflicts = ["b"]
                 ^^^
)");
}

TEST(Conflicts, TwoThatTheDaemonStarts) {
  const std::string disabled = "enabled = false\n" + unit_file("", "conflicts = [\"b\"]\n").text;
  EXPECT_EQ(said_of({{"a.toml", disabled}, unit_file("b", "")}), "");
  EXPECT_EQ(said_of({unit_file("a", "conflicts = [\"b\"]\n"), unit_file("b", "")}),
            folded(R"(a.toml:4:14: "a" and "b" conflict, and both are started with the daemon; \
enabled = false keeps one of them from that
    conflicts = ["b"]
                 ^^^
)"));
  // Also when one is only wanted by another that is started.
  EXPECT_NE(
      said_of({{"a.toml", disabled}, unit_file("b", ""), unit_file("c", "wants = [\"a\"]\n")}), "");
  // A unit with a timer is not started with the daemon.
  EXPECT_EQ(said_of({{"a.toml", with_command("[depends]\nconflicts = [\"b\"]\n[timer]\nevery = "
                                             "\"1h\"\n")},
                     unit_file("b", "")}),
            "");
}

std::string number(size_t i) {
  std::string digits = std::to_string(i);
  return std::string(5 - digits.size(), '0') + digits;
}

/// Units of which each requires those that `below` says.
template <class Below>
std::vector<UnitSpec> units_of(size_t count, Below below) {
  std::vector<UnitSpec> units(count);
  for (size_t i = 0; i < count; ++i) {
    units[i].name = "u" + number(i);
    units[i].file = units[i].name + ".toml";
    for (const size_t other : below(i))
      units[i].depends.make().requires_units.push_back({"u" + number(other), false, {1, 1, 1}});
  }
  return units;
}

double seconds_to_check(const std::vector<UnitSpec>& units, size_t diagnostics) {
  const auto begin = std::chrono::steady_clock::now();
  const Graph graph(units);
  EXPECT_EQ(check_graph(units, graph, {}).size(), diagnostics);
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
}

constexpr size_t kMany = 10'000;
constexpr double kPatience = 10;  // seconds, on the most loaded machine; alone it takes 0.05

TEST(ManyUnits, AChain) {
  const auto below = [](size_t i) {
    return i == 0 ? std::vector<size_t>{} : std::vector<size_t>{i - 1};
  };
  EXPECT_LT(seconds_to_check(units_of(kMany, below), 0), kPatience);
}

TEST(ManyUnits, Layers) {
  const auto below = [](size_t i) {
    std::vector<size_t> others;
    for (size_t k = 0; k < 10 && i >= 100; ++k)
      others.push_back((i / 100 - 1) * 100 + (i * 7 + k * 13) % 100);
    return others;
  };
  EXPECT_LT(seconds_to_check(units_of(kMany, below), 0), kPatience);
}

TEST(ManyUnits, ARing) {
  const auto below = [](size_t i) { return std::vector<size_t>{(i + 1) % kMany}; };
  const std::vector<UnitSpec> units = units_of(kMany, below);
  const std::vector<Diagnostic> said = check_graph(units, Graph(units), {});
  ASSERT_EQ(said.size(), 1U);
  EXPECT_TRUE(
      said[0].message.starts_with("a cycle: each of these units waits for the next: u00000 -> "
                                  "u00001 (requires, u00000.toml:1)"));
  EXPECT_NE(said[0].message.find(" -> 9976 more -> "), std::string::npos);
  EXPECT_TRUE(said[0].message.ends_with(" -> u00000 (requires, u09999.toml:1)"));
}

TEST(ManyUnits, EachInConflictWithItsNeighbour) {
  std::vector<UnitSpec> units =
      units_of(kMany, [](size_t i) { return i < 2 ? std::vector<size_t>{} : std::vector{i - 2}; });
  for (size_t i = 1; i < kMany; ++i) {
    units[i].depends.make().conflicts.push_back({units[i - 1].name, false, {2, 1, 1}});
    units[i].enabled = i % 2 == 0;
  }
  EXPECT_LT(seconds_to_check(units, 0), kPatience);
  // Now each needs its neighbour as well.
  for (size_t i = 1; i < kMany; ++i)
    units[i].depends.make().requires_units.push_back({units[i - 1].name, false, {3, 1, 1}});
  EXPECT_LT(seconds_to_check(units, 200), kPatience);
}

TEST(ManyUnits, EveryNameIsWrong) {
  std::vector<UnitSpec> units = units_of(kMany, [](size_t) { return std::vector<size_t>{}; });
  for (UnitSpec& unit : units)
    unit.depends.make().wants.push_back({unit.name + "x", false, {1, 1, 1}});
  EXPECT_LT(seconds_to_check(units, kMany), kPatience);
}

}  // namespace
}  // namespace foster
