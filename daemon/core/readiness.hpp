// How a unit shows that it is ready, by its spec.
#pragma once

#include "common/unit/unit_spec.hpp"

namespace foster::core {

/// What [ready] says, or the type; `none`: it is ready once it has been executed.
[[nodiscard]] ReadyKind ready_kind(const UnitSpec& spec);

/// Whether a process finds out, again and again.
[[nodiscard]] bool is_checked(ReadyKind kind);

}  // namespace foster::core
