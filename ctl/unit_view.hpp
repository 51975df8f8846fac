// A unit as one look at the region showed it, with the names of those that its slot means.
#pragma once

#include <string>

#include "common/region/reader.hpp"

namespace foster::ctl {

struct UnitView : region::SlotView {
  std::string blocker;   // the unit that body.blocker means; empty: none
  std::string held_by;   // "web, api": the dependents that have to stop before it does
  std::string listener;  // of an instance for one connection: the unit that listens for it
};

}  // namespace foster::ctl
