#include "ctl/unit_graph.hpp"

#include <algorithm>
#include <tuple>
#include <utility>

namespace foster::ctl {

UnitGraph::UnitGraph(std::vector<UnitView> units, std::vector<foster_edge> edges)
    : units_(std::move(units)), needs_(std::move(edges)), needed_by_(needs_) {
  std::ranges::sort(needed_by_, {}, [](const foster_edge& edge) {
    return std::tuple(edge.to, edge.from, edge.kind);
  });
}

std::span<const foster_edge> UnitGraph::needs(uint32_t unit) const {
  const auto found = std::ranges::equal_range(needs_, unit, {}, &foster_edge::from);
  return {found.begin(), found.end()};
}

std::span<const foster_edge> UnitGraph::needed_by(uint32_t unit) const {
  const auto found = std::ranges::equal_range(needed_by_, unit, {}, &foster_edge::to);
  return {found.begin(), found.end()};
}

std::vector<uint32_t> UnitGraph::closure(const std::vector<uint32_t>& units) const {
  std::vector<bool> seen(size(), false);
  std::vector<uint32_t> reached;
  const auto reach = [&](uint32_t unit) {
    if (!seen[unit]) reached.push_back(unit);
    seen[unit] = true;
  };
  std::ranges::for_each(units, reach);
  for (size_t done = 0; done < reached.size(); ++done) {
    for (const foster_edge& edge : needs(reached[done]))
      if (edge.kind != FOSTER_EDGE_CONFLICTS) reach(edge.to);
  }
  std::ranges::sort(reached);
  return reached;
}

}  // namespace foster::ctl
