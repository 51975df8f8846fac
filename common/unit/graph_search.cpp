#include "common/unit/graph_search.hpp"

#include <algorithm>
#include <bit>
#include <cstdint>
#include <set>

namespace foster {
namespace {

constexpr uint32_t kNobody = UINT32_MAX;

/// A way from one unit to another along edges that order, the shortest.
std::vector<UnitIndex> way(const Graph& graph, size_t units, UnitIndex from, UnitIndex to) {
  std::vector<uint32_t> came_from(units, kNobody);
  std::vector<UnitIndex> seen{from};
  came_from[from.value] = from.value;
  for (size_t i = 0; i < seen.size() && came_from[to.value] == kNobody; ++i) {
    for (const Edge& edge : graph.needs(seen[i])) {
      if (!orders(edge.kind) || came_from[edge.to.value] != kNobody) continue;
      came_from[edge.to.value] = seen[i].value;
      seen.push_back(edge.to);
    }
  }
  std::vector<UnitIndex> steps{to};
  while (steps.back() != from)
    steps.push_back({came_from[steps.back().value]});
  std::ranges::reverse(steps);
  return steps;
}

/// Walks along edges that order, depth first, and notes the edges that lead back to a unit whose
/// own walk is not over: each of them closes a cycle, and without them there is none.
class BackEdges {
 public:
  BackEdges(const Graph& graph, size_t units) : graph_(graph), marks_(units, Mark::fresh) {
    for (uint32_t i = 0; i < units; ++i)
      if (marks_[i] == Mark::fresh) walk({i});
  }

  std::vector<Edge> take() { return std::move(found_); }

 private:
  enum class Mark : uint8_t { fresh, open, done };
  struct Visit {
    UnitIndex unit;
    size_t next = 0;  // of its edges
  };

  void walk(UnitIndex first) {
    std::vector<Visit> visits{{first}};
    marks_[first.value] = Mark::open;
    while (!visits.empty()) {
      Visit& visit = visits.back();
      const std::span<const Edge> edges = graph_.needs(visit.unit);
      if (visit.next == edges.size()) {
        marks_[visit.unit.value] = Mark::done;
        visits.pop_back();
        continue;
      }
      const Edge& edge = edges[visit.next++];
      if (!orders(edge.kind) || edge.to == edge.from) continue;
      if (marks_[edge.to.value] == Mark::open) found_.push_back(edge);
      if (marks_[edge.to.value] != Mark::fresh) continue;
      marks_[edge.to.value] = Mark::open;
      visits.push_back({edge.to});
    }
  }

  const Graph& graph_;
  std::vector<Mark> marks_;
  std::vector<Edge> found_;
};

/// Whether `from` cannot be up without `to`.
bool hard(EdgeKind kind) {
  return kind == EdgeKind::requires_unit || kind == EdgeKind::binds_to ||
         kind == EdgeKind::completed;
}

/// Which of up to 64 pairs of conflicting units a unit needs one side, or the other, of.
struct Needed {
  uint64_t one = 0;
  uint64_t other = 0;
  uint64_t below = 0;  // both, by something that it needs
};

constexpr size_t kPairs = 64;

void mark_pairs(const Graph& graph, const std::vector<UnitIndex>& order,
                std::span<const Edge> pairs, std::vector<Contradiction>& found) {
  std::vector<Needed> needed(order.size());
  for (size_t bit = 0; bit < pairs.size(); ++bit) {
    needed[pairs[bit].from.value].one |= uint64_t{1} << bit;
    needed[pairs[bit].to.value].other |= uint64_t{1} << bit;
  }
  for (const UnitIndex unit : order) {
    Needed& own = needed[unit.value];
    for (const Edge& edge : graph.needs(unit)) {
      if (!hard(edge.kind)) continue;
      const Needed& below = needed[edge.to.value];
      own.one |= below.one;
      own.other |= below.other;
      own.below |= below.below | (below.one & below.other);
    }
    for (uint64_t both = own.one & own.other & ~own.below; both != 0; both &= both - 1)
      found.push_back({unit, pairs[static_cast<size_t>(std::countr_zero(both))]});
  }
}

}  // namespace

std::vector<std::vector<UnitIndex>> find_cycles(const Graph& graph, size_t units, size_t most) {
  std::vector<std::vector<UnitIndex>> cycles;
  std::set<std::vector<UnitIndex>> seen;
  const std::vector<Edge> back_edges = BackEdges(graph, units).take();
  for (const Edge& back : back_edges) {
    if (cycles.size() == most) break;
    std::vector<UnitIndex> cycle = way(graph, units, back.to, back.from);
    std::ranges::rotate(cycle, std::ranges::min_element(cycle));
    if (seen.insert(cycle).second) cycles.push_back(std::move(cycle));
  }
  std::ranges::sort(cycles);
  return cycles;
}

std::vector<Contradiction> find_contradictions(const Graph& graph,
                                               const std::vector<UnitIndex>& order) {
  std::vector<Edge> pairs;
  for (const Edge& edge : graph.edges())
    if (edge.kind == EdgeKind::conflicts && edge.from < edge.to) pairs.push_back(edge);
  std::vector<Contradiction> found;
  for (size_t begin = 0; begin < pairs.size(); begin += kPairs)
    mark_pairs(graph, order,
               std::span(pairs).subspan(begin, std::min(kPairs, pairs.size() - begin)), found);
  return found;
}

std::vector<bool> started_at_boot(const std::vector<UnitSpec>& units, const Graph& graph) {
  std::vector<bool> started(units.size(), false);
  std::vector<UnitIndex> list;
  for (uint32_t i = 0; i < units.size(); ++i) {
    if (!units[i].enabled || units[i].timer) continue;
    started[i] = true;
    list.push_back({i});
  }
  for (size_t i = 0; i < list.size(); ++i) {
    for (const Edge& edge : graph.needs(list[i])) {
      if (!pulls(edge.kind) || started[edge.to.value]) continue;
      started[edge.to.value] = true;
      list.push_back(edge.to);
    }
  }
  return started;
}

}  // namespace foster
