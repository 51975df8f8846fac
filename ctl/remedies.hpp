// What would change the state that a unit is in: a command, or what comes by itself.
#pragma once

#include <vector>

#include "ctl/explanation.hpp"
#include "ctl/time_text.hpp"
#include "ctl/unit_view.hpp"

namespace foster::ctl {

/// Appends those that are not there yet.
void add_remedies(const UnitView& unit, const Clock& clock, std::vector<Remedy>& remedies);

}  // namespace foster::ctl
