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

/// One of the unit's main processes that the keeper has.
struct LiveMain {
  Attempt attempt;
  Role role = Role::main;
  int32_t pid = 0;
  int last_signal = 0;
  bool over = false;
};

/// Which of the unit's main processes this one is: by the record, or without one by its number. The
/// record comes first, the processes in any order.
void add_live_main(RecoveredUnit& unit, const LiveMain& found);

/// Whether there was a record of this unit that anyone ever wrote. One that was not is a new
/// unit's, which is wanted up.
[[nodiscard]] bool was_known(const RecoveredUnit& found);

/// Whether a shutdown had begun, and with which code. A manager that dies while it publishes may
/// leave records that tell of a shutdown which the region's header does not know of yet: one that
/// says `shutdown`, or that of an essential unit which ended by itself and is wanted down.
[[nodiscard]] std::optional<int> shutdown_found(const Recovered& found, const UnitSet& set);

/// The highest job number that stands anywhere in what was found.
[[nodiscard]] JobId last_job_found(const Recovered& found);

}  // namespace foster::core
