// Every graph of a few units: all ways to connect them by so many edges of any kind that a unit set
// accepts, each up to a renaming of the units once.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "common/unit/unit_set.hpp"

namespace foster::exhaustive {

struct SmallEdge {
  size_t from = 0;
  size_t to = 0;
  EdgeKind kind = EdgeKind::after;
  auto operator<=>(const SmallEdge&) const = default;
};

struct SmallGraph {
  size_t units = 1;
  std::vector<SmallEdge> edges;
};

/// How the units of a graph behave; every graph is tried with each.
enum class Manner {
  restarting,  // simple units, restarted after a failure
  ready_once,  // notify units, never restarted
  listening,   // simple units, started by a connection
  replaced,    // notify units, restarted after a failure, and on request with an overlap
};
inline constexpr Manner kManners[] = {Manner::restarting, Manner::ready_once, Manner::listening,
                                      Manner::replaced};

[[nodiscard]] const char* manner_text(Manner manner);

/// Connected graphs of this size, in a fixed order.
[[nodiscard]] std::vector<SmallGraph> small_graphs(size_t units, size_t edges);

[[nodiscard]] std::vector<UnitSpec> unit_specs(const SmallGraph& graph, Manner manner);

/// "a requires b, c after b".
[[nodiscard]] std::string describe(const SmallGraph& graph);

}  // namespace foster::exhaustive
