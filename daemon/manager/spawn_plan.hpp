// A start, resolved to the last string: what the keeper needs and nothing that it would have to
// think about (daemon/protocol: SpawnPlan).
#pragma once

#include <string>
#include <string_view>

#include "common/ids.hpp"
#include "common/result.hpp"
#include "common/unit/unit_spec.hpp"
#include "daemon/manager/identity.hpp"

namespace foster::manager {

/// The body of a `spawn` record. An error says why the unit cannot be started: no such user, a
/// variable that is not set, a program that is nowhere in PATH; system_error is then what execve
/// would have said.
[[nodiscard]] Result<std::string> spawn_plan(const UnitSpec& unit, Attempt attempt,
                                             std::string_view instance, IdentityCache& identities,
                                             const char* const* inherited);

}  // namespace foster::manager
