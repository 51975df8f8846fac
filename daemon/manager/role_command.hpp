// The command of each thing that a unit may run: its own, its hooks', its checks'.
#pragma once

#include <string>

#include "common/unit/unit_spec.hpp"
#include "daemon/core/unit_state.hpp"

namespace foster::manager {

struct RoleCommand {
  Argv words;
  bool expand = true;  // `${NAME}` is replaced
};

/// `probe` is the path of foster-probe, which does the checks that are no commands. `index` must be
/// one that the unit has for the role.
[[nodiscard]] RoleCommand role_command(const UnitSpec& unit, core::Role role, uint16_t index,
                                       const std::string& probe);

}  // namespace foster::manager
