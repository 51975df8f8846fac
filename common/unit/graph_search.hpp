// Searches in a graph of units, each in time that grows with the graph alone.
#pragma once

#include <vector>

#include "common/unit/graph.hpp"

namespace foster {

/// Units that wait for each other, each for the next and the last for the first; a unit that waits
/// for itself is none. At most `most` of them, each beginning with its lowest index and as short as
/// can be; none only where there is none.
[[nodiscard]] std::vector<std::vector<UnitIndex>> find_cycles(const Graph& graph, size_t units,
                                                              size_t most);

/// `unit` cannot be up without `one` and `other` (one of which it may be itself), which conflict.
struct Contradiction {
  UnitIndex unit;
  Edge conflict;  // from < to
};

/// One for each unit that needs both while nothing that it needs does. `order` is a start order.
[[nodiscard]] std::vector<Contradiction> find_contradictions(const Graph& graph,
                                                             const std::vector<UnitIndex>& order);

/// Which units a start of the daemon starts.
[[nodiscard]] std::vector<bool> started_at_boot(const std::vector<UnitSpec>& units,
                                                const Graph& graph);

}  // namespace foster
