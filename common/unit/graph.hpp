// What depends on what: the edges between the units of a set, by index, in both directions. Part of
// UnitSet, immutable like it. What the kinds mean stands in daemon/core/unit_state.hpp.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "common/ids.hpp"
#include "common/unit/unit_spec.hpp"

namespace foster {

enum class EdgeKind : uint8_t {
  requires_unit,
  binds_to,
  wants,
  completed,
  after,
  conflicts,
  part_of
};

/// "requires", "binds-to", ...: as the key in a unit file.
[[nodiscard]] const char* edge_text(EdgeKind kind);

/// `from` depends on `to`. The reverse keys (before, required-by, wanted-by) are turned round, and
/// what a unit says twice is there once; requires and binds-to, where both are said, are one
/// binds-to. A conflict is there once for each side.
struct Edge {
  UnitIndex from;
  UnitIndex to;
  EdgeKind kind = EdgeKind::after;
  bool operator==(const Edge&) const = default;
};

/// Whether `from` starts after `to` and stops before it.
[[nodiscard]] constexpr bool orders(EdgeKind kind) {
  return kind == EdgeKind::requires_unit || kind == EdgeKind::binds_to ||
         kind == EdgeKind::completed || kind == EdgeKind::after;
}

/// Whether starting `from` starts `to`.
[[nodiscard]] constexpr bool pulls(EdgeKind kind) {
  return kind == EdgeKind::requires_unit || kind == EdgeKind::binds_to || kind == EdgeKind::wants ||
         kind == EdgeKind::completed;
}

class Graph {
 public:
  Graph() = default;

  /// `units` sorted by name. References to units that are not there are left out: whoever builds a
  /// set from files has reported them.
  explicit Graph(const std::vector<UnitSpec>& units);

  /// What the unit depends on: edges with from == unit, by (to, kind).
  [[nodiscard]] std::span<const Edge> needs(UnitIndex unit) const;
  /// What depends on the unit: edges with to == unit, by (from, kind).
  [[nodiscard]] std::span<const Edge> needed_by(UnitIndex unit) const;
  [[nodiscard]] std::span<const Edge> edges() const { return needs_; }

  /// All `units` units such that everything comes after what it is ordered after; empty when there
  /// is a cycle and there are units.
  [[nodiscard]] std::vector<UnitIndex> start_order(size_t units) const;

 private:
  std::vector<Edge> needs_;
  std::vector<Edge> needed_by_;
  std::vector<uint32_t> needs_begin_;      // by unit, and one more
  std::vector<uint32_t> needed_by_begin_;  // by unit, and one more
};

/// A reference that a unit makes, with the key that it stands under: "requires", "on-failure".
struct NamedReference {
  std::string_view key;
  const Reference* reference;
};

/// All of them, to whatever name.
[[nodiscard]] std::vector<NamedReference> references_of(const UnitSpec& unit);

}  // namespace foster
