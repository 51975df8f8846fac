// Whether, when and how often a unit is started again by itself: pure functions of its spec and
// record.
#pragma once

#include <string>

#include "common/unit/unit_spec.hpp"
#include "daemon/core/random.hpp"
#include "daemon/core/unit_state.hpp"

namespace foster::core {

/// A success by the unit's own rules: one of its exit codes. A death by signal is none,
[[nodiscard]] bool clean_end(const UnitSpec& spec, const LastExit& end);
/// unless it came of the stop signal in a stop that someone asked for. `record` is from before it.
[[nodiscard]] bool ended_as_asked(const UnitSpec& spec, const UnitRecord& record,
                                  const LastExit& end);

/// Likewise of a process that was sent the stop signal because another has taken its place.
[[nodiscard]] bool ended_by_stop_signal(const UnitSpec& spec, const LastExit& end);

/// How an attempt came to an end that nobody asked for.
struct Ending {
  Cause cause = Cause::exit;
  bool clean = false;
};

/// Whether such an end is followed by a restart. A oneshot that succeeded is done.
[[nodiscard]] bool restart_wanted(const UnitSpec& spec, const Ending& ending, const LastExit& end);

/// Whether this cause of a stop is of the unit's own making, so that the policy decides what
/// follows.
[[nodiscard]] bool decided_by_policy(Cause cause);

/// min(delay * factor^failures, max_delay), then varied by the jitter both ways.
[[nodiscard]] Duration restart_delay(const RestartSpec& spec, uint32_t failures, Random& random);

/// Whether the run that has just ended was long enough for the delay to start afresh.
[[nodiscard]] bool long_enough_to_reset(const RestartSpec& spec, const UnitRecord& record);

/// Counts one more automatic restart against the rate limit. False when there may be none; then
/// nothing is counted. A window begins with its first restart and lasts limit_interval.
[[nodiscard]] bool take_restart(const RestartSpec& spec, UnitRecord& record, Instant now);

/// "restarted 10 times within 10s".
[[nodiscard]] std::string rate_limit_text(const RestartSpec& spec);

/// What the daemon returns when it ends because of this end: the shell's conventions; 1 for what
/// failed without an end of that kind.
[[nodiscard]] int exit_code_for(const LastExit& end);

/// Likewise for a unit that is gone for good; never 0 when it has failed.
[[nodiscard]] int final_exit_code(const UnitRecord& record);

}  // namespace foster::core
