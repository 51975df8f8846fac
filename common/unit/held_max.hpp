#pragma once

#include <cstdint>

namespace foster {

/// How many descriptors a unit can have at a time: its open sockets, what was passed to it, what it
/// has stored. Each start passes all of them on, and a record of the keeper's has no room for more.
inline constexpr uint32_t kHeldMax = 240;

}  // namespace foster
