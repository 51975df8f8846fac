// A start, resolved to the last string: what the keeper needs and nothing that it would have to
// think about (daemon/protocol: SpawnPlan).
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "common/ids.hpp"
#include "common/result.hpp"
#include "common/unit/unit_spec.hpp"
#include "daemon/manager/identity.hpp"
#include "daemon/manager/role_command.hpp"
#include "daemon/manager/spawn_extras.hpp"

namespace foster::manager {

/// One process: which of the unit's commands, and what it gets beside the unit's environment.
struct ProcessOrder {
  Attempt attempt;
  core::Role role = core::Role::main;
  uint16_t index = 0;
  SpawnExtras extras;
};

/// The body of a `spawn` record. An error says why the unit cannot be started: no such user, a
/// variable that is not set, a program that is nowhere in PATH; system_error is then what execve
/// would have said.
[[nodiscard]] Result<std::string> spawn_plan(const UnitSpec& unit, const ProcessOrder& order,
                                             const DaemonFacts& daemon, IdentityCache& identities);

}  // namespace foster::manager
