// Judges where everything has come to once nothing goes wrong any more and nothing more happens:
// each unit that is wanted up is up, was skipped, has failed or ended for a reason of its own or of
// a unit that it needs, or waits for one that is down on request; everything else is at rest.
#pragma once

#include "daemon/core/supervisor.hpp"
#include "tests/sim/verdict.hpp"

namespace foster::sim {

void judge_rest(const UnitSet& set, const core::Supervisor& manager, Verdict& verdict);

/// Whether a unit in this state is up as others see it.
/// Of a unit that starts on a connection: its sockets are there, or it works for one.
[[nodiscard]] bool takes_connections(const UnitSpec& spec, const core::UnitRecord& record);

[[nodiscard]] bool counts_as_up(const UnitSpec& spec, const core::UnitRecord& record);

}  // namespace foster::sim
