// A template whose sockets say `accept` stands for two things: a unit named as the template is,
// which listens and has no process, and instances, each for one connection at a time, which foster
// starts when it has accepted one.
#pragma once

#include <string>

#include "common/unit/unit_spec.hpp"

namespace foster {

/// The unit that listens, from what the template makes for any instance.
[[nodiscard]] UnitSpec listener_of(const UnitSpec& instance, const std::string& name);

/// Takes from an instance what is the listener's.
void serve_connections(UnitSpec& instance);

/// How many connections there may be at a time, of all its sockets.
[[nodiscard]] uint32_t connections_max(const UnitSpec& listener);

}  // namespace foster
