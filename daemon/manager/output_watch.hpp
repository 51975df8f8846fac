// Whether a process of a unit is started by way of foster-tap (daemon/tap), and with what.
#pragma once

#include <string>
#include <string_view>

#include "common/ipc/unique_fd.hpp"
#include "common/result.hpp"
#include "common/unit/unit_spec.hpp"
#include "daemon/core/unit_state.hpp"
#include "daemon/manager/spawn_extras.hpp"

namespace foster::manager {

/// `ready` is the end of a pipe that a newline is to be written into once a line of the command's
/// output has matched; invalid where that is not the unit's readiness. Leaves the extras as they
/// are where nobody looks at the output. `tap` is the path of foster-tap.
[[nodiscard]] Result<void> watch_output(const UnitSpec& unit, core::Role role,
                                        std::string_view runtime_directory, const std::string& tap,
                                        UniqueFd ready, SpawnExtras& extras);

}  // namespace foster::manager
