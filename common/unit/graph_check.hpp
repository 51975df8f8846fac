// Mistakes that only the units together have.
#pragma once

#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "common/unit/diagnostic.hpp"
#include "common/unit/graph.hpp"

namespace foster {

/// Names that units may have a reason to speak of although no unit of the set has them.
struct OtherNames {
  std::set<std::string, std::less<>> broken;  // units or templates with mistakes of their own
  std::set<std::string, std::less<>> masked;  // taken away by a file of a higher layer
  std::set<std::string, std::less<>> templates;
  bool partial = false;  // units that are not among these may be there all the same
};

/// Names of units that are not there (with the nearest right one), a unit that depends on itself,
/// cycles (the chain, with the place of each edge), a unit that needs two which conflict, two that
/// conflict and are both started with the daemon, `completed` of something that is no oneshot.
/// `units` sorted by name. The lines of the texts are left out of the diagnostics.
[[nodiscard]] std::vector<Diagnostic> check_graph(const std::vector<UnitSpec>& units,
                                                  const Graph& graph, const OtherNames& others);

/// The names alone, for a unit that is not among the units: a template's placeholder.
[[nodiscard]] std::vector<Diagnostic> check_references(const UnitSpec& unit,
                                                       const std::vector<UnitSpec>& units,
                                                       const OtherNames& others);

}  // namespace foster
