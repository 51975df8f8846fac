// What a manager makes of what the one before it left: the record from the region and the children
// from the keeper, which may be ahead of each other by the actions that the crash swallowed.
#pragma once

#include "daemon/core/supervisor.hpp"

namespace foster::core {

/// The record to begin with. What is to be done about it is decided at Begin: a unit that should
/// run but has nothing that lives comes out as `stopped` with its goal up. A record that breaks an
/// invariant was not written by us as it stands; its counts are kept, the rest is rebuilt.
[[nodiscard]] UnitRecord recovered_record(const RecoveredUnit& found, const UnitSpec& spec,
                                          Instant now);

/// Whether there was a record of this unit that anyone ever wrote.
[[nodiscard]] bool was_known(const RecoveredUnit& found);

}  // namespace foster::core
