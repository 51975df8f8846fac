#include "ctl/render_tree.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "ctl/printable.hpp"
#include "ctl/reason.hpp"
#include "ctl/render.hpp"
#include "ctl/words.hpp"

namespace foster::ctl {
namespace {

// Deeper lines are indented no further, or a chain of thousands would fill gigabytes with lines.
constexpr size_t kIndentMax = 40;

/// A line to come: a unit below another, and how it is related to that one.
struct Branch {
  uint32_t unit = 0;
  size_t depth = 0;
  bool last = false;  // of its siblings
  std::string kinds;  // "requires, after"
};

std::span<const foster_edge> edges_of(const UnitGraph& graph, uint32_t unit, TreeOrder order) {
  return order == TreeOrder::needs ? graph.needs(unit) : graph.needed_by(unit);
}

uint32_t far_end(const foster_edge& edge, TreeOrder order) {
  return order == TreeOrder::needs ? edge.to : edge.from;
}

/// What is one level below the unit; several edges to the same unit are one branch.
std::vector<Branch> branches_of(const UnitGraph& graph, uint32_t unit, TreeOrder order) {
  std::vector<Branch> branches;
  for (const foster_edge& edge : edges_of(graph, unit, order)) {
    if (edge.kind == FOSTER_EDGE_CONFLICTS) continue;
    const uint32_t other = far_end(edge, order);
    if (branches.empty() || branches.back().unit != other) branches.push_back({.unit = other});
    std::string& kinds = branches.back().kinds;
    kinds.append(kinds.empty() ? "" : ", ").append(edge_word(edge.kind));
  }
  if (!branches.empty()) branches.back().last = true;
  return branches;
}

class Tree {
 public:
  Tree(const UnitGraph& graph, TreeOrder order, const RenderOptions& options)
      : graph_(graph), order_(order), options_(options), expanded_(graph.size(), false) {}

  void grow(uint32_t root) {
    pending_ = {{.unit = root}};
    while (!pending_.empty()) {
      const Branch branch = std::move(pending_.back());
      pending_.pop_back();
      show(branch);
    }
  }

  [[nodiscard]] std::string take() { return std::move(text_); }

 private:
  void show(const Branch& branch) {
    open_.resize(branch.depth + 1);
    open_[branch.depth] = !branch.last;
    append_indent(branch);
    const UnitView& unit = graph_[branch.unit];
    text_ += printable(unit.name);
    if (!branch.kinds.empty()) text_ += " (" + branch.kinds + ")";
    text_ += "  ";
    text_ += coloured(printable(state_text(unit)), state_colour(unit.body.state), options_);
    std::vector<Branch> below = branches_of(graph_, branch.unit, order_);
    const bool again = expanded_[branch.unit] && !below.empty();
    text_ += again ? "  (see above)\n" : "\n";
    expanded_[branch.unit] = true;
    if (again) return;
    for (size_t i = below.size(); i > 0; --i) {
      below[i - 1].depth = branch.depth + 1;
      pending_.push_back(std::move(below[i - 1]));
    }
  }

  /// The rails of those levels above that go on below this line.
  void append_indent(const Branch& branch) {
    if (branch.depth == 0) return;
    const size_t first = branch.depth > kIndentMax ? branch.depth - kIndentMax : 1;
    if (first > 1) text_ += fmt::format("[{}] ", branch.depth);
    for (size_t level = first; level < branch.depth; ++level)
      text_ += open_[level] ? "│  " : "   ";
    text_ += branch.last ? "└─ " : "├─ ";
  }

  const UnitGraph& graph_;
  const TreeOrder order_;
  const RenderOptions& options_;
  std::vector<bool> expanded_;
  std::vector<bool> open_;  // by depth: whether more siblings come
  std::vector<Branch> pending_;
  std::string text_;
};

class Reach {
 public:
  Reach(const UnitGraph& graph, TreeOrder order)
      : graph_(graph), order_(order), seen_(graph.size(), false) {}

  [[nodiscard]] bool seen(uint32_t unit) const { return seen_[unit]; }

  void from(uint32_t unit) {
    std::vector<uint32_t> pending{unit};
    seen_[unit] = true;
    while (!pending.empty()) {
      const uint32_t next = pending.back();
      pending.pop_back();
      for (const foster_edge& edge : edges_of(graph_, next, order_)) {
        const uint32_t other = far_end(edge, order_);
        if (edge.kind == FOSTER_EDGE_CONFLICTS || seen_[other]) continue;
        seen_[other] = true;
        pending.push_back(other);
      }
    }
  }

 private:
  const UnitGraph& graph_;
  const TreeOrder order_;
  std::vector<bool> seen_;
};

}  // namespace

std::string render_tree(const UnitGraph& graph, const std::vector<uint32_t>& units, TreeOrder order,
                        const RenderOptions& options) {
  Tree tree(graph, order, options);
  for (const uint32_t unit : units)
    tree.grow(unit);
  return tree.take();
}

std::vector<uint32_t> tree_roots(const UnitGraph& graph, TreeOrder order) {
  const TreeOrder back = order == TreeOrder::needs ? TreeOrder::needed_by : TreeOrder::needs;
  std::vector<uint32_t> roots;
  Reach reach(graph, order);
  const auto begin = [&](uint32_t unit) {
    roots.push_back(unit);
    reach.from(unit);
  };
  for (uint32_t unit = 0; unit < graph.size(); ++unit)
    if (branches_of(graph, unit, back).empty()) begin(unit);
  for (uint32_t unit = 0; unit < graph.size(); ++unit)
    if (!reach.seen(unit)) begin(unit);
  return roots;
}

}  // namespace foster::ctl
