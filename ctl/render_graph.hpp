// What depends on what, as text and in Graphviz's language. Pure.
#pragma once

#include <string>
#include <vector>

#include "ctl/table.hpp"
#include "ctl/unit_graph.hpp"

namespace foster::ctl {

/// A unit a line with its state, and below it a line for each edge.
[[nodiscard]] std::string render_graph(const UnitGraph& graph, const std::vector<uint32_t>& units,
                                       const RenderOptions& options);

/// A digraph of these units and the edges between them: dot -Tsvg.
[[nodiscard]] std::string render_dot(const UnitGraph& graph, const std::vector<uint32_t>& units);

}  // namespace foster::ctl
