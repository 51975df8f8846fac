// What one look at the region gave: everything that is rendered for people or as JSON.
#pragma once

#include <vector>

#include "common/instant.hpp"
#include "common/region/layout.h"
#include "common/region/reader.hpp"
#include "ctl/words.hpp"

namespace foster::ctl {

struct Snapshot {
  foster_region_header header{};
  region::Liveness manager = region::Liveness::alive;
  region::Liveness keeper = region::Liveness::alive;
  Instant last_change;  // the newest change of a unit's state, or the manager's start
  Clock clock;
  std::vector<region::SlotView> units;
};

}  // namespace foster::ctl
