#include "tests/exhaustive/small_graphs.hpp"

#include <algorithm>
#include <numeric>

#include "common/unit/graph_search.hpp"

namespace foster::exhaustive {
namespace {

constexpr EdgeKind kKinds[] = {EdgeKind::requires_unit, EdgeKind::binds_to, EdgeKind::wants,
                               EdgeKind::completed,     EdgeKind::after,    EdgeKind::conflicts,
                               EdgeKind::part_of};

std::string name_of(size_t unit) {
  return {static_cast<char>('a' + unit)};
}

std::vector<SmallEdge> renamed(const std::vector<SmallEdge>& edges,
                               const std::vector<size_t>& names) {
  std::vector<SmallEdge> result;
  for (const SmallEdge& edge : edges) {
    SmallEdge other{names[edge.from], names[edge.to], edge.kind};
    const bool mutual = edge.kind == EdgeKind::conflicts;
    if (mutual && other.from > other.to) std::swap(other.from, other.to);
    result.push_back(other);
  }
  std::ranges::sort(result);
  return result;
}

/// The first of all graphs that differ from it in names alone.
bool is_first_of_its_shape(const SmallGraph& graph) {
  std::vector<size_t> names(graph.units);
  std::iota(names.begin(), names.end(), size_t{0});
  const std::vector<SmallEdge> own = renamed(graph.edges, names);
  while (std::ranges::next_permutation(names).found) {
    if (renamed(graph.edges, names) < own) return false;
  }
  return true;
}

bool is_connected(const SmallGraph& graph) {
  std::vector<bool> reached(graph.units, false);
  reached[0] = true;
  for (size_t i = 0; i < graph.units; ++i) {
    for (const SmallEdge& edge : graph.edges) {
      if (reached[edge.from] || reached[edge.to]) reached[edge.from] = reached[edge.to] = true;
    }
  }
  return std::ranges::count(reached, false) == 0;
}

/// Whether each unit, started, brings the other along or goes with it.
std::vector<std::vector<bool>> companions(const SmallGraph& graph) {
  std::vector<std::vector<bool>> reached(graph.units, std::vector<bool>(graph.units, false));
  for (size_t i = 0; i < graph.units; ++i)
    reached[i][i] = true;
  for (size_t round = 0; round < graph.units; ++round) {
    for (const SmallEdge& edge : graph.edges) {
      if (!pulls(edge.kind) && edge.kind != EdgeKind::part_of) continue;
      for (size_t i = 0; i < graph.units; ++i)
        reached[edge.from][i] = reached[edge.from][i] || reached[edge.to][i];
    }
  }
  return reached;
}

/// Two that conflict and are brought up by one unit are no use.
bool contradicts_itself(const SmallGraph& graph) {
  const std::vector<std::vector<bool>> reached = companions(graph);
  return std::ranges::any_of(graph.edges, [&](const SmallEdge& edge) {
    return edge.kind == EdgeKind::conflicts &&
           std::ranges::any_of(
               reached, [&](const std::vector<bool>& by) { return by[edge.from] && by[edge.to]; });
  });
}

bool is_accepted(const SmallGraph& graph) {
  if (contradicts_itself(graph)) return false;
  const Graph edges(unit_specs(graph, Manner::restarting));
  if (edges.edges().empty() && !graph.edges.empty()) return false;
  const std::vector<UnitIndex> order = edges.start_order(graph.units);
  return !order.empty() && find_contradictions(edges, order).empty();
}

class Enumeration {
 public:
  Enumeration(size_t units, size_t edges) : edges_(edges) {
    graph_.units = units;
    for (size_t from = 0; from < units; ++from) {
      for (size_t to = 0; to < units; ++to)
        add_choices(from, to);
    }
    std::ranges::sort(choices_);
  }

  std::vector<SmallGraph> all() {
    choose(0);
    return std::move(found_);
  }

 private:
  void add_choices(size_t from, size_t to) {
    for (const EdgeKind kind : kKinds) {
      if (from == to || (kind == EdgeKind::conflicts && from > to)) continue;
      choices_.push_back({from, to, kind});
    }
  }

  void choose(size_t next) {
    if (graph_.edges.size() == edges_) {
      const bool wanted =
          is_connected(graph_) && is_first_of_its_shape(graph_) && is_accepted(graph_);
      if (wanted) found_.push_back(graph_);
      return;
    }
    for (size_t i = next; i < choices_.size(); ++i) {
      graph_.edges.push_back(choices_[i]);
      choose(i + 1);
      graph_.edges.pop_back();
    }
  }

  size_t edges_;
  SmallGraph graph_;
  std::vector<SmallEdge> choices_;
  std::vector<SmallGraph> found_;
};

std::vector<Reference>& references(DependsSpec& depends, EdgeKind kind) {
  switch (kind) {
    case EdgeKind::requires_unit:
      return depends.requires_units;
    case EdgeKind::binds_to:
      return depends.binds_to;
    case EdgeKind::wants:
      return depends.wants;
    case EdgeKind::completed:
      return depends.completed;
    case EdgeKind::after:
      return depends.after;
    case EdgeKind::conflicts:
      return depends.conflicts;
    case EdgeKind::part_of:
      break;
  }
  return depends.part_of;
}

UnitSpec unit_spec(size_t unit, Manner manner) {
  UnitSpec spec;
  spec.name = name_of(unit);
  spec.command = {"/bin/service"};
  spec.restart.limit = 0;
  switch (manner) {
    case Manner::restarting:
      spec.type = ServiceType::simple;
      spec.restart.policy = RestartPolicy::on_failure;
      break;
    case Manner::ready_once:
      spec.type = ServiceType::notify;
      spec.restart.policy = RestartPolicy::never;
      break;
    case Manner::listening:
      spec.type = ServiceType::simple;
      spec.restart.policy = RestartPolicy::on_failure;
      spec.descriptors.make().start_on = StartOn::first_connection;
      break;
    case Manner::replaced:
      spec.type = ServiceType::notify;
      spec.restart.policy = RestartPolicy::on_failure;
      break;
  }
  return spec;
}

}  // namespace

const char* manner_text(Manner manner) {
  switch (manner) {
    case Manner::restarting:
      return "restarting";
    case Manner::ready_once:
      return "ready-once";
    case Manner::listening:
      return "listening";
    case Manner::replaced:
      return "replaced";
  }
  return "";
}

std::vector<SmallGraph> small_graphs(size_t units, size_t edges) {
  return Enumeration(units, edges).all();
}

std::vector<UnitSpec> unit_specs(const SmallGraph& graph, Manner manner) {
  std::vector<UnitSpec> units;
  for (size_t i = 0; i < graph.units; ++i)
    units.push_back(unit_spec(i, manner));
  for (const SmallEdge& edge : graph.edges) {
    const Reference reference{.name = name_of(edge.to), .place = {}};
    references(units[edge.from].depends.make(), edge.kind).push_back(reference);
    if (edge.kind == EdgeKind::completed) units[edge.to].type = ServiceType::oneshot;
  }
  return units;
}

std::string describe(const SmallGraph& graph) {
  std::string text = std::to_string(graph.units) + " units";
  for (const SmallEdge& edge : graph.edges) {
    text += ", " + name_of(edge.from) + " " + edge_text(edge.kind) + " " + name_of(edge.to);
  }
  return text;
}

}  // namespace foster::exhaustive
