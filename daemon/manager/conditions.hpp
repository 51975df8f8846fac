// The conditions of a unit that are answered by a look at the system, without a process.
#pragma once

#include <cstdint>
#include <string>

#include "common/unit/unit_spec.hpp"
#include "daemon/core/action.hpp"
#include "daemon/core/event.hpp"

namespace foster::manager {

/// The answer to CheckConditions: the first condition that is not met gives the reason. Those that
/// are commands count as met here: they are run by the core.
[[nodiscard]] core::ConditionsChecked check_conditions(const core::CheckConditions& asked,
                                                       const UnitSpec& unit,
                                                       const char* const* environment);

}  // namespace foster::manager
