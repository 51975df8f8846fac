// What one slot alone does not tell: the name behind its blocker, and who holds its stop up. The
// edges are read only for units that need them, so that status stays cheap.
#pragma once

#include <optional>
#include <vector>

#include "common/region/reader.hpp"
#include "ctl/unit_view.hpp"

namespace foster::ctl {

/// Whether `from` of such an edge stops before `to`.
[[nodiscard]] constexpr bool orders(uint32_t edge_kind) {
  return edge_kind == FOSTER_EDGE_REQUIRES || edge_kind == FOSTER_EDGE_BINDS_TO ||
         edge_kind == FOSTER_EDGE_COMPLETED || edge_kind == FOSTER_EDGE_AFTER;
}

class Relations {
 public:
  explicit Relations(const region::Reader& reader) : reader_(reader) {}

  [[nodiscard]] UnitView complete(region::SlotView slot);

 private:
  [[nodiscard]] std::string stopping_dependents(uint32_t slot);

  const region::Reader& reader_;
  std::optional<std::vector<foster_edge>> edges_;
};

}  // namespace foster::ctl
