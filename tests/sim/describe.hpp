// Events, actions and records in words, for traces and for scenarios that compare them as text.
#pragma once

#include <string>

#include "common/unit/unit_set.hpp"
#include "daemon/core/action.hpp"
#include "daemon/core/event.hpp"

namespace foster::sim {

[[nodiscard]] const char* text(core::UnitState state);
[[nodiscard]] const char* text(core::Cause cause);
[[nodiscard]] const char* text(core::JobResult result);
[[nodiscard]] const char* text(core::Role role);
[[nodiscard]] const char* text(core::Step step);
[[nodiscard]] const char* text(core::Health health);

/// "spawned web #3 pid 17"
[[nodiscard]] std::string describe(const UnitSet& set, const core::Event& event);

/// "spawn web #3"; of another role "spawn web #4 pre-start for #3"; a note of a state is "web:
/// running (boot)".
[[nodiscard]] std::string describe(const UnitSet& set, const core::Action& action);

/// "web: notify, hooks, health; requires db, after log".
[[nodiscard]] std::string describe(const UnitSet& set, UnitIndex unit);

/// "exit 0", "signal 9", "spawn error 2".
[[nodiscard]] std::string describe(const core::LastExit& end);

}  // namespace foster::sim
