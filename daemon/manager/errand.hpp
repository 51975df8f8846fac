// What a process of a unit is started for. It goes to the keeper as the plan's tag and comes back
// from it with the hand-over, so that a manager's successor knows its processes.
#pragma once

#include <cstdint>

#include "common/ids.hpp"
#include "daemon/core/unit_state.hpp"

namespace foster::manager {

struct Errand {
  UnitIndex unit;
  core::Role role = core::Role::main;
  uint16_t index = 0;  // which command of the role
};

[[nodiscard]] constexpr uint32_t tag_of(core::Role role, uint16_t index) {
  return static_cast<uint32_t>(role) | static_cast<uint32_t>(index) << 16;
}

[[nodiscard]] constexpr Errand errand_of(UnitIndex unit, uint32_t tag) {
  return {unit, static_cast<core::Role>(tag & 0xff), static_cast<uint16_t>(tag >> 16)};
}

/// Whether a process of this role is the service itself, not one beside it.
[[nodiscard]] constexpr bool runs_service(core::Role role) {
  return role == core::Role::main || role == core::Role::successor;
}

}  // namespace foster::manager
