// What depends on what, as a tree for people. Pure.
#pragma once

#include <string>
#include <vector>

#include "ctl/table.hpp"
#include "ctl/unit_graph.hpp"

namespace foster::ctl {

enum class TreeOrder { needs, needed_by };

/// Each of the units with all below it. A unit is expanded where it comes first; where it comes
/// again, a mark stands for what is below it, so the text grows with the edges and not with the
/// paths.
[[nodiscard]] std::string render_tree(const UnitGraph& graph, const std::vector<uint32_t>& units,
                                      TreeOrder order, const RenderOptions& options);

/// The units that none other leads to, and one of each cycle that none leads to, so that each unit
/// stands below one of them.
[[nodiscard]] std::vector<uint32_t> tree_roots(const UnitGraph& graph, TreeOrder order);

}  // namespace foster::ctl
