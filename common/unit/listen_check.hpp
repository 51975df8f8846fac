// Units of one set that listen at the same place: of two, one could not be started.
#pragma once

#include <vector>

#include "common/unit/diagnostic.hpp"
#include "common/unit/graph.hpp"

namespace foster {

/// `units` sorted by name. Units that conflict are never up together and may share a place, as
/// those may whose sockets all say reuse-port. The lines of the texts are left out.
[[nodiscard]] std::vector<Diagnostic> check_listening(const std::vector<UnitSpec>& units,
                                                      const Graph& graph);

}  // namespace foster
