#include "common/unit/graph_check.hpp"

#include <algorithm>
#include <array>
#include <span>

#include "common/nearest_word.hpp"
#include "common/unit/graph_search.hpp"
#include "common/unit/unit_name.hpp"

namespace foster {
namespace {

// More of a kind are not reported at once: nobody reads them.
constexpr size_t kCyclesMax = 20;
constexpr size_t kConflictsMax = 100;
// The nearest name is looked for among all units, so not for each of thousands of wrong ones.
constexpr size_t kNearestMax = 50;
// Of a longer cycle the middle is left out.
constexpr size_t kShownEdges = 24;

const std::string& file_of(const UnitSpec& unit, const Reference& reference) {
  return reference.place.file == 0 ? unit.file : unit.drop_ins[reference.place.file - 1];
}

Diagnostic at(const UnitSpec& unit, const Reference& reference, std::string message) {
  Diagnostic diagnostic;
  diagnostic.file = file_of(unit, reference);
  diagnostic.line = reference.place.line;
  diagnostic.column = reference.place.column;
  diagnostic.length = reference.place.length;
  diagnostic.message = std::move(message);
  return diagnostic;
}

const UnitSpec* find_unit(const std::vector<UnitSpec>& units, std::string_view name) {
  const auto found = std::ranges::lower_bound(
      units, name, {}, [](const UnitSpec& unit) { return std::string_view(unit.name); });
  return found == units.end() || found->name != name ? nullptr : &*found;
}

/// A reference as it stands in a file.
struct Said {
  const UnitSpec* unit = nullptr;  // whose file says it
  std::string_view key;
  const Reference* reference = nullptr;
};

class NameCheck {
 public:
  NameCheck(const std::vector<UnitSpec>& units, const OtherNames& others)
      : units_(units), others_(others) {}

  void unit(const UnitSpec& unit, std::vector<Diagnostic>& diagnostics) {
    for (const NamedReference& named : references_of(unit)) {
      std::string mistake = mistake_of(unit, named);
      if (!mistake.empty()) diagnostics.push_back(at(unit, *named.reference, std::move(mistake)));
    }
  }

 private:
  std::string mistake_of(const UnitSpec& unit, const NamedReference& named) {
    const std::string& name = named.reference->name;
    if (name == unit.name) return backticked_text(named.key) + " names the unit itself";
    const UnitSpec* target = find_unit(units_, name);
    if (target == nullptr) return absent(named);
    if (serves_connections(*target) && starts_it(named.key))
      return quoted_text(name) + " is started by a connection alone; " +
             quoted_text(template_of(name)) + " is the unit that listens";
    if (named.key == "completed" && target->type != ServiceType::oneshot)
      return quoted_text(name) +
             " never counts as completed: it is no oneshot; use `requires` to wait until it is up";
    return {};
  }

  static bool starts_it(std::string_view key) {
    constexpr std::array<std::string_view, 6> kStarting{"requires",  "binds-to",   "wants",
                                                        "completed", "limit-unit", "on-failure"};
    return std::ranges::find(kStarting, key) != kStarting.end();
  }

  std::string absent(const NamedReference& named) {
    const std::string& name = named.reference->name;
    const std::string_view maker = template_of(name);
    // One that accepts connections has a unit of its own name, which was found.
    std::string no_unit = quoted_text(name) +
                          " is a template: name one of its instances, such as " +
                          quoted_text(name + "1");
    if (others_.templates.contains(name) && !others_.broken.contains(name)) return no_unit;
    if (named.reference->optional) return {};
    if (others_.masked.contains(name)) return masked(named);
    const bool excused = others_.partial || others_.broken.contains(name) ||
                         others_.broken.contains(maker) || others_.templates.contains(maker);
    if (excused) return {};
    if (is_template_name(name)) return no_unit;
    return "there is no unit " + quoted_text(name) + suggestion(name);
  }

  /// Only who cannot be without it has to know that it is not there.
  static std::string masked(const NamedReference& named) {
    constexpr std::array<std::string_view, 5> kNeeds{"requires", "binds-to", "completed",
                                                     "limit-unit", "on-failure"};
    if (std::ranges::find(kNeeds, named.key) == kNeeds.end()) return {};
    return "the unit " + quoted_text(named.reference->name) +
           " is masked by a file without content";
  }

  std::string suggestion(std::string_view name) {
    const size_t dot = name.rfind('.');
    const bool file_name = name.ends_with(".toml") || name.ends_with(".service");
    std::string_view near = file_name ? name.substr(0, dot) : std::string_view();
    if (find_unit(units_, near) == nullptr) near = nearest(name);
    if (!near.empty()) return "; did you mean \"" + std::string(near) + "\"?";
    return "; write \"-" + std::string(name) + "\" if it may be missing";
  }

  std::string_view nearest(std::string_view name) {
    if (++searches_ > kNearestMax) return {};
    if (names_.empty()) {
      for (const UnitSpec& unit : units_)
        names_.push_back(unit.name);
      names_.insert(names_.end(), others_.broken.begin(), others_.broken.end());
    }
    return nearest_word(name, names_);
  }

  const std::vector<UnitSpec>& units_;
  const OtherNames& others_;
  std::vector<std::string_view> names_;
  size_t searches_ = 0;
};

class GraphCheck {
 public:
  GraphCheck(const std::vector<UnitSpec>& units, const Graph& graph, const OtherNames& others)
      : units_(units), graph_(graph), names_(units, others) {}

  std::vector<Diagnostic> run() {
    for (const UnitSpec& unit : units_)
      names_.unit(unit, diagnostics_);
    for (const std::vector<UnitIndex>& cycle : find_cycles(graph_, units_.size(), kCyclesMax))
      report_cycle(cycle);
    // In a cycle everybody needs everybody, and there is no order to search along.
    const std::vector<UnitIndex> order = graph_.start_order(units_.size());
    if (!order.empty()) contradictions(order);
    conflicts_at_boot();
    return std::move(diagnostics_);
  }

 private:
  const UnitSpec& unit(UnitIndex index) const { return units_[index.value]; }

  /// What in which file makes the edge.
  Said said(const Edge& edge) const {
    const UnitSpec& from = unit(edge.from);
    const UnitSpec& to = unit(edge.to);
    for (const NamedReference& named : references_of(from))
      if (named.reference->name == to.name && named.key == edge_text(edge.kind))
        return {&from, named.key, named.reference};
    for (const NamedReference& named : references_of(to))
      if (named.reference->name == from.name && named.key == reverse_key(edge.kind))
        return {&to, named.key, named.reference};
    return {};
  }

  static std::string_view reverse_key(EdgeKind kind) {
    switch (kind) {
      case EdgeKind::requires_unit:
        return "required-by";
      case EdgeKind::wants:
        return "wanted-by";
      case EdgeKind::after:
        return "before";
      case EdgeKind::conflicts:
        return "conflicts";
      case EdgeKind::binds_to:
      case EdgeKind::completed:
      case EdgeKind::part_of:
        break;
    }
    return "";
  }

  Said ordering(UnitIndex from, UnitIndex to) const {
    const std::span<const Edge> edges = graph_.needs(from);
    const auto edge = std::ranges::find_if(
        edges, [&](const Edge& candidate) { return candidate.to == to && orders(candidate.kind); });
    return said(*edge);
  }

  void report_cycle(const std::vector<UnitIndex>& cycle) {
    std::string message = "a cycle: each of these units waits for the next: " + unit(cycle[0]).name;
    for (size_t i = 0; i < cycle.size(); ++i) {
      const bool left_out =
          cycle.size() > kShownEdges && i >= kShownEdges / 2 && i < cycle.size() - kShownEdges / 2;
      if (left_out) {
        if (i == kShownEdges / 2)
          message += " -> " + std::to_string(cycle.size() - kShownEdges) + " more";
        continue;
      }
      const UnitIndex next = cycle[(i + 1) % cycle.size()];
      const Said edge = ordering(cycle[i], next);
      message += " -> " + unit(next).name + " (" + std::string(edge.key) + ", " +
                 file_of(*edge.unit, *edge.reference) + ":" +
                 std::to_string(edge.reference->place.line) + ")";
    }
    const Said first = ordering(cycle[0], cycle[1]);
    diagnostics_.push_back(at(*first.unit, *first.reference, std::move(message)));
  }

  void contradictions(const std::vector<UnitIndex>& order) {
    for (const Contradiction& found : find_contradictions(graph_, order)) {
      if (told_.size() == kConflictsMax) break;
      told_.push_back(found.conflict);
      const Said conflict = said(found.conflict);
      diagnostics_.push_back(at(*conflict.unit, *conflict.reference,
                                both(found.conflict) + " conflict, and " + needs(found)));
    }
  }

  std::string both(const Edge& conflict) const {
    return quoted_text(unit(conflict.from).name) + " and " + quoted_text(unit(conflict.to).name);
  }

  std::string needs(const Contradiction& found) const {
    const std::string name = quoted_text(unit(found.unit).name);
    if (found.unit == found.conflict.from || found.unit == found.conflict.to)
      return name + " needs the other";
    return name + " needs both";
  }

  void conflicts_at_boot() {
    const std::vector<bool> started = started_at_boot(units_, graph_);
    size_t count = 0;
    for (const Edge& edge : graph_.edges()) {
      if (edge.kind != EdgeKind::conflicts || !(edge.from < edge.to)) continue;
      if (!started[edge.from.value] || !started[edge.to.value]) continue;
      if (std::ranges::find(told_, edge) != told_.end() || ++count > kConflictsMax) continue;
      const Said conflict = said(edge);
      diagnostics_.push_back(at(*conflict.unit, *conflict.reference,
                                both(edge) +
                                    " conflict, and both are started with the daemon; enabled = "
                                    "false keeps one of them from that"));
    }
  }

  const std::vector<UnitSpec>& units_;
  const Graph& graph_;
  NameCheck names_;
  std::vector<Edge> told_;  // conflicts that somebody needs both sides of
  std::vector<Diagnostic> diagnostics_;
};

}  // namespace

std::vector<Diagnostic> check_graph(const std::vector<UnitSpec>& units, const Graph& graph,
                                    const OtherNames& others) {
  return GraphCheck(units, graph, others).run();
}

std::vector<Diagnostic> check_references(const UnitSpec& unit, const std::vector<UnitSpec>& units,
                                         const OtherNames& others) {
  std::vector<Diagnostic> diagnostics;
  NameCheck(units, others).unit(unit, diagnostics);
  return diagnostics;
}

}  // namespace foster
