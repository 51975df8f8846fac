#include "common/unit/graph.hpp"

#include <algorithm>
#include <optional>
#include <string_view>
#include <tuple>

#include "common/check.hpp"

namespace foster {
namespace {

std::optional<UnitIndex> index_of(const std::vector<UnitSpec>& units, std::string_view name) {
  const auto found = std::ranges::lower_bound(
      units, name, {}, [](const UnitSpec& unit) { return std::string_view(unit.name); });
  if (found == units.end() || found->name != name) return std::nullopt;
  return UnitIndex{static_cast<uint32_t>(found - units.begin())};
}

class EdgeCollector {
 public:
  explicit EdgeCollector(const std::vector<UnitSpec>& units) : units_(units) {}

  void unit(UnitIndex from) {
    const Boxed<DependsSpec>& depends = units_[from.value].depends;
    if (!depends) return;
    forward(from, depends->requires_units, EdgeKind::requires_unit);
    forward(from, depends->binds_to, EdgeKind::binds_to);
    forward(from, depends->wants, EdgeKind::wants);
    forward(from, depends->completed, EdgeKind::completed);
    forward(from, depends->after, EdgeKind::after);
    forward(from, depends->part_of, EdgeKind::part_of);
    forward(from, depends->conflicts, EdgeKind::conflicts);
    reverse(from, depends->conflicts, EdgeKind::conflicts);
    reverse(from, depends->before, EdgeKind::after);
    reverse(from, depends->required_by, EdgeKind::requires_unit);
    reverse(from, depends->wanted_by, EdgeKind::wants);
  }

  std::vector<Edge> take() {
    std::ranges::sort(edges_, {}, [](const Edge& e) { return std::tuple(e.from, e.to, e.kind); });
    edges_.erase(std::unique(edges_.begin(), edges_.end()), edges_.end());
    std::vector<Edge> kept;
    kept.reserve(edges_.size());
    for (size_t i = 0; i < edges_.size(); ++i) {
      // Sorted by kind: a binds-to of the same pair stands right behind.
      const bool outdone = edges_[i].kind == EdgeKind::requires_unit && i + 1 < edges_.size() &&
                           edges_[i + 1] == Edge{edges_[i].from, edges_[i].to, EdgeKind::binds_to};
      if (!outdone) kept.push_back(edges_[i]);
    }
    return kept;
  }

 private:
  void forward(UnitIndex from, const std::vector<Reference>& names, EdgeKind kind) {
    for (const Reference& name : names)
      if (const auto to = index_of(units_, name.name)) edges_.push_back({from, *to, kind});
  }

  void reverse(UnitIndex to, const std::vector<Reference>& names, EdgeKind kind) {
    for (const Reference& name : names)
      if (const auto from = index_of(units_, name.name)) edges_.push_back({*from, to, kind});
  }

  const std::vector<UnitSpec>& units_;
  std::vector<Edge> edges_;
};

/// Where each unit's edges begin in `edges`, which are sorted by `end`.
std::vector<uint32_t> begins(const std::vector<Edge>& edges, UnitIndex Edge::*end, size_t units) {
  std::vector<uint32_t> begin(units + 1, 0);
  for (const Edge& edge : edges)
    ++begin[(edge.*end).value + 1];
  for (size_t i = 1; i < begin.size(); ++i)
    begin[i] += begin[i - 1];
  return begin;
}

}  // namespace

const char* edge_text(EdgeKind kind) {
  switch (kind) {
    case EdgeKind::requires_unit:
      return "requires";
    case EdgeKind::binds_to:
      return "binds-to";
    case EdgeKind::wants:
      return "wants";
    case EdgeKind::completed:
      return "completed";
    case EdgeKind::after:
      return "after";
    case EdgeKind::conflicts:
      return "conflicts";
    case EdgeKind::part_of:
      return "part-of";
  }
  FOSTER_CHECK(false);
}

std::vector<NamedReference> references_of(const UnitSpec& unit) {
  std::vector<NamedReference> all;
  const auto add = [&](std::string_view key, const std::vector<Reference>& references) {
    for (const Reference& reference : references)
      all.push_back({key, &reference});
  };
  if (unit.depends) {
    add("requires", unit.depends->requires_units);
    add("binds-to", unit.depends->binds_to);
    add("wants", unit.depends->wants);
    add("completed", unit.depends->completed);
    add("after", unit.depends->after);
    add("before", unit.depends->before);
    add("conflicts", unit.depends->conflicts);
    add("part-of", unit.depends->part_of);
    add("required-by", unit.depends->required_by);
    add("wanted-by", unit.depends->wanted_by);
  }
  if (unit.restart.limit_unit) all.push_back({"limit-unit", &*unit.restart.limit_unit});
  if (unit.hooks && unit.hooks->on_failure) all.push_back({"on-failure", &*unit.hooks->on_failure});
  return all;
}

Graph::Graph(const std::vector<UnitSpec>& units) {
  EdgeCollector collector(units);
  for (uint32_t i = 0; i < units.size(); ++i)
    collector.unit({i});
  needs_ = collector.take();
  if (needs_.empty()) return;
  needed_by_ = needs_;
  std::ranges::sort(needed_by_, {}, [](const Edge& e) { return std::tuple(e.to, e.from, e.kind); });
  needs_begin_ = begins(needs_, &Edge::from, units.size());
  needed_by_begin_ = begins(needed_by_, &Edge::to, units.size());
}

std::span<const Edge> Graph::needs(UnitIndex unit) const {
  if (needs_.empty()) return {};
  const uint32_t first = needs_begin_[unit.value];
  return std::span(needs_).subspan(first, needs_begin_[unit.value + 1] - first);
}

std::span<const Edge> Graph::needed_by(UnitIndex unit) const {
  if (needed_by_.empty()) return {};
  const uint32_t first = needed_by_begin_[unit.value];
  return std::span(needed_by_).subspan(first, needed_by_begin_[unit.value + 1] - first);
}

std::vector<UnitIndex> Graph::start_order(size_t units) const {
  std::vector<uint32_t> waits_for(units, 0);
  for (const Edge& edge : needs_)
    if (orders(edge.kind)) ++waits_for[edge.from.value];
  std::vector<UnitIndex> order;
  order.reserve(units);
  for (uint32_t i = 0; i < units; ++i)
    if (waits_for[i] == 0) order.push_back({i});
  for (size_t done = 0; done < order.size(); ++done) {
    for (const Edge& edge : needed_by(order[done]))
      if (orders(edge.kind) && --waits_for[edge.from.value] == 0) order.push_back(edge.from);
  }
  if (order.size() != units) order.clear();
  return order;
}

}  // namespace foster
