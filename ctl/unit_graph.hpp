// Units and what they are to each other, as one look at the region showed them: what why, graph and
// tree are made from.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "common/region/layout.h"
#include "ctl/unit_view.hpp"

namespace foster::ctl {

class UnitGraph {
 public:
  /// Units in order of name, edges sorted by (from, to, kind), as the region has them.
  UnitGraph(std::vector<UnitView> units, std::vector<foster_edge> edges);

  [[nodiscard]] uint32_t size() const { return static_cast<uint32_t>(units_.size()); }
  [[nodiscard]] const UnitView& operator[](uint32_t unit) const { return units_[unit]; }

  /// What the unit depends on, by (to, kind).
  [[nodiscard]] std::span<const foster_edge> needs(uint32_t unit) const;
  /// What depends on the unit, by (from, kind).
  [[nodiscard]] std::span<const foster_edge> needed_by(uint32_t unit) const;

  /// The units and all that they depend on, in order of name. A conflict is no dependency.
  [[nodiscard]] std::vector<uint32_t> closure(const std::vector<uint32_t>& units) const;

 private:
  std::vector<UnitView> units_;
  std::vector<foster_edge> needs_;
  std::vector<foster_edge> needed_by_;
};

}  // namespace foster::ctl
