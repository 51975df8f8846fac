#include "ctl/render_graph.hpp"
#include "ctl/render_tree.hpp"

#include <algorithm>

#include <gtest/gtest.h>

#include "tests/unit/ctl/samples.hpp"

namespace foster::ctl::test {
namespace {

constexpr uint32_t kApi = 0;
constexpr uint32_t kDb = 1;
constexpr uint32_t kDisk = 2;
constexpr uint32_t kOld = 3;
constexpr uint32_t kWeb = 4;

UnitGraph five_units() {
  return {{unit("api", FOSTER_STATE_WAITING, 1), unit("db", FOSTER_STATE_RUNNING, 1),
           unit("disk", FOSTER_STATE_EXITED, 1), unit("old", FOSTER_STATE_STOPPED, 1),
           unit("web", FOSTER_STATE_FAILED, 1)},
          {{kApi, kDb, FOSTER_EDGE_REQUIRES},
           {kDb, kDisk, FOSTER_EDGE_COMPLETED},
           {kOld, kWeb, FOSTER_EDGE_CONFLICTS},
           {kWeb, kApi, FOSTER_EDGE_WANTS},
           {kWeb, kApi, FOSTER_EDGE_AFTER},
           {kWeb, kDb, FOSTER_EDGE_BINDS_TO},
           {kWeb, kOld, FOSTER_EDGE_CONFLICTS}}};
}

std::vector<uint32_t> all(const UnitGraph& graph) {
  std::vector<uint32_t> units(graph.size());
  for (uint32_t i = 0; i < units.size(); ++i)
    units[i] = i;
  return units;
}

TEST(Graph, TextHasEachEdgeWithItsKind) {
  const UnitGraph graph = five_units();
  EXPECT_EQ(render_graph(graph, all(graph), {}),
            "api  waiting\n"
            "  requires   db  running\n"
            "db  running\n"
            "  completed  disk  exited\n"
            "disk  exited\n"
            "old  stopped\n"
            "  conflicts  web  failed\n"
            "web  failed\n"
            "  wants      api  waiting\n"
            "  after      api  waiting\n"
            "  binds-to   db  running\n"
            "  conflicts  old  stopped\n");
}

TEST(Graph, ClosureIsWhatTheUnitsDependOn) {
  const UnitGraph graph = five_units();
  EXPECT_EQ(graph.closure({kApi}), (std::vector<uint32_t>{kApi, kDb, kDisk}));
  EXPECT_EQ(graph.closure({kWeb}), (std::vector<uint32_t>{kApi, kDb, kDisk, kWeb}));
}

TEST(Graph, DotQuotesNamesAndShowsAConflictOnce) {
  const UnitGraph graph = five_units();
  EXPECT_EQ(render_dot(graph, all(graph)), R"(digraph foster {
  rankdir=LR;
  node [shape=box, style="rounded,filled", fontname="sans-serif"];
  edge [fontname="sans-serif", fontsize=10];
  "api" [tooltip="waiting", fillcolor="#fff3c4"];
  "db" [tooltip="running", fillcolor="#c8e6c9"];
  "disk" [tooltip="exited", fillcolor="#eceff1"];
  "old" [tooltip="stopped", fillcolor="#eceff1"];
  "web" [tooltip="failed", fillcolor="#ffcdd2"];
  "api" -> "db" [label="requires"];
  "db" -> "disk" [label="completed", arrowhead=box];
  "old" -> "web" [label="conflicts", dir=none, color=red];
  "web" -> "api" [label="wants", style=dashed];
  "web" -> "api" [label="after", style=dotted];
  "web" -> "db" [label="binds-to", penwidth=2];
}
)");
  const UnitGraph odd({unit("a\"b\\", FOSTER_STATE_RUNNING, 1)}, {});
  EXPECT_NE(render_dot(odd, {0}).find(R"(  "a\"b\\" [)"), std::string::npos);
}

TEST(Tree, ExpandsEachUnitOnce) {
  const UnitGraph graph = five_units();
  EXPECT_EQ(render_tree(graph, tree_roots(graph, TreeOrder::needs), TreeOrder::needs, {}),
            "old  stopped\n"
            "web  failed\n"
            "├─ api (wants, after)  waiting\n"
            "│  └─ db (requires)  running\n"
            "│     └─ disk (completed)  exited\n"
            "└─ db (binds-to)  running  (see above)\n");
}

TEST(Tree, ReversedShowsWhatDependsOnAUnit) {
  EXPECT_EQ(render_tree(five_units(), {kDisk}, TreeOrder::needed_by, {}),
            "disk  exited\n"
            "└─ db (completed)  running\n"
            "   ├─ api (requires)  waiting\n"
            "   │  └─ web (wants, after)  failed\n"
            "   └─ web (binds-to)  failed\n");
}

TEST(Tree, CycleOfWantsHasARootToo) {
  const UnitGraph graph({unit("a", FOSTER_STATE_RUNNING, 1), unit("b", FOSTER_STATE_RUNNING, 1)},
                        {{0, 1, FOSTER_EDGE_WANTS}, {1, 0, FOSTER_EDGE_WANTS}});
  EXPECT_EQ(render_tree(graph, tree_roots(graph, TreeOrder::needs), TreeOrder::needs, {}),
            "a  running\n"
            "└─ b (wants)  running\n"
            "   └─ a (wants)  running  (see above)\n");
}

/// Each unit of a layer needs each of the next: 1000 layers of 10 have 10^1000 paths.
UnitGraph layers(uint32_t count, uint32_t width) {
  std::vector<UnitView> units;
  std::vector<foster_edge> edges;
  for (uint32_t i = 0; i < count * width; ++i) {
    units.push_back(unit("u" + std::to_string(100'000 + i), FOSTER_STATE_RUNNING, 1));
    const uint32_t next = (i / width + 1) * width;
    for (uint32_t to = next; next < count * width && to < next + width; ++to)
      edges.push_back({i, to, FOSTER_EDGE_REQUIRES});
  }
  return {std::move(units), std::move(edges)};
}

TEST(Tree, GrowsWithTheEdgesAndNotWithThePaths) {
  const UnitGraph graph = layers(1000, 10);
  const std::string text =
      render_tree(graph, tree_roots(graph, TreeOrder::needs), TreeOrder::needs, {});
  EXPECT_EQ(std::ranges::count(text, '\n'), 10 + 999 * 100);
  EXPECT_LT(text.size(), 100'000u * 300);
}

TEST(Tree, DeepChainIsIndentedNoFurtherThanItCanBeRead) {
  const UnitGraph graph = layers(10'000, 1);
  const std::string text =
      render_tree(graph, tree_roots(graph, TreeOrder::needs), TreeOrder::needs, {});
  EXPECT_EQ(std::ranges::count(text, '\n'), 10'000);
  EXPECT_LT(text.size(), 10'000u * 200);
  EXPECT_NE(text.find("[9999] "), std::string::npos);
}

}  // namespace
}  // namespace foster::ctl::test
