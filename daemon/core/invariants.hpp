// What holds of every unit's record between two events, whatever happened. The supervisor checks
// the units that an event was about, in release too; the simulator and the tests check all of them.
#pragma once

#include "common/unit/unit_spec.hpp"
#include "daemon/core/unit_state.hpp"

namespace foster::core {

/// The first rule that the record breaks, as a sentence; null when it breaks none.
[[nodiscard]] const char* broken_invariant(const UnitSpec& spec, const UnitRecord& record);

}  // namespace foster::core
