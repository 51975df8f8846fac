// The parts of the one table of keys, each a section or a few of them. Everyone else asks
// unit_keys().
#pragma once

#include <span>

#include "common/unit/unit_keys.hpp"

namespace foster {

[[nodiscard]] std::span<const KeySpec> service_keys();     // top, [service]
[[nodiscard]] std::span<const KeySpec> descriptor_keys();  // of [service], for descriptors
[[nodiscard]] std::span<const KeySpec> socket_keys();      // [[socket]]
[[nodiscard]] std::span<const KeySpec> depends_keys();     // [depends]
[[nodiscard]] std::span<const KeySpec> check_keys();       // [ready], [health]
[[nodiscard]] std::span<const KeySpec> hook_keys();        // [hooks]
[[nodiscard]] std::span<const KeySpec> restart_keys();     // [restart], [stop]
[[nodiscard]] std::span<const KeySpec> activation_keys();  // [timer], [conditions]

}  // namespace foster
