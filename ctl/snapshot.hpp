// What one look at the region gave: everything that is rendered for people or as JSON.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <vector>

#include "common/instant.hpp"
#include "common/region/layout.h"
#include "common/region/reader.hpp"
#include "ctl/time_text.hpp"
#include "ctl/unit_view.hpp"

namespace foster::ctl {

/// The daemon itself.
struct DaemonView {
  foster_region_header header{};
  region::Liveness manager = region::Liveness::alive;
  region::Liveness keeper = region::Liveness::alive;
  Clock clock;
};

/// How many units there are in each state, and when a state last changed: how old the look is when
/// nobody writes any more.
struct UnitCounts {
  static constexpr size_t kStates =
      FOSTER_STATE_LISTENING + 2;  // and one for those that we do not know
  std::array<size_t, kStates> in_state{};
  size_t all = 0;
  Instant last_change;

  void count(const foster_slot_body& body) {
    ++in_state[std::min<size_t>(body.state, kStates - 1)];
    ++all;
    last_change = std::max(last_change, Instant{body.since_boot_ns});
  }
};

struct Snapshot {
  DaemonView daemon;
  UnitCounts counts;
  std::vector<UnitView> units;
};

}  // namespace foster::ctl
