// The state model.
//
// A unit has a goal (what is wanted) and a state (what is). The machine moves the state towards the
// goal.
//
// clang-format off
//             start, goal up                      executed
//   stopped ------------------> starting ------------------> running
//      ^   ^                      |  |                        |  |
//      |   |      spawn failed    |  |  stop                  |  | stop, or the main process gone
//      |   |   (backoff, failed) <+  +-----> stopping <-------+  | while others of its group remain
//      |   |                                    |                |
//      |   +------- goal down ------------------+                | main process gone, group empty
//      |                                        |                |
//      |  stop                                  +--- goal up ----+--> the end of an attempt:
//   backoff, exited, failed                                       restart -> backoff or starting
//                                                                 no restart -> exited or failed
// clang-format on
//
// * `stopped`: never started, or stopped on request. `exited`: ended by itself with success.
//   `failed`: ended otherwise. These three differ only in how they came about: each is at rest, has
//   no process, and takes the same inputs.
// * An attempt is over when its main process is reaped and its process group is empty. Only then
//   may the next one be spawned, so there are never two.
// * A stop: the stop signal and SIGCONT, after stop.timeout SIGKILL to the group, and again after
//   each further timeout until the attempt is over. Hurried (a second shutdown request): SIGKILL
//   at once.
// * When the main process is gone and others of its group remain, these are stopped in the same
//   way, whether or not anyone asked for a stop.
// * A start while stopping waits for the end of the attempt. A restart is a stop with the goal left
//   up.
// * The restart delay grows by `factor` with each restart in a row and starts afresh after a run of
//   at least reset_after, decided when the run ends: no timer is spent on it.
// * A oneshot is `running` while it works; the start job for it is done at `exited`. For a simple
//   unit it is done at `running`. A job fails when the unit comes to `failed`, or, if the first
//   attempt since the request ended badly, at `backoff`: whoever asked is told at once, foster goes
//   on trying.
#pragma once

#include <cstdint>
#include <string>

#include "common/ids.hpp"
#include "common/instant.hpp"

namespace foster::core {

enum class UnitState : uint8_t { stopped, starting, running, stopping, backoff, exited, failed };

enum class Goal : uint8_t { down, up };

enum class Cause : uint8_t {
  none,
  boot,
  request,
  exit,
  spawn_failed,
  rate_limited,
  shutdown,
  stop_timeout,
};

enum class ExitKind : uint8_t { none, code, signal, core_dump, spawn };

enum class Verb : uint8_t { none, start, stop, restart };

enum class JobResult : uint8_t { none, done, failed, superseded };

struct JobOutcome {
  JobId job;
  JobResult result = JobResult::none;
  bool operator==(const JobOutcome&) const = default;
};

inline constexpr size_t kJobOutcomes = 4;

/// How the last attempt ended.
struct LastExit {
  ExitKind kind = ExitKind::none;
  int value = 0;       // exit code, signal number, or the errno of a failed spawn
  bool clean = false;  // a success by the unit's own rules
  Instant at;
  int64_t at_real_ns = 0;
  uint64_t user_us = 0;
  uint64_t system_us = 0;
  uint64_t max_rss_kib = 0;
  bool operator==(const LastExit&) const = default;
};

/// All that is to be known of a unit, and all that has to survive the manager: the publisher writes
/// it to the status region as it is, and the next manager begins with what it finds there.
struct UnitRecord {
  UnitState state = UnitState::stopped;
  Goal goal = Goal::down;
  Cause cause = Cause::none;
  bool killed = false;  // SIGKILL was sent in the stop under way

  Attempt attempt;        // the newest; 0 = never started
  int32_t pid = 0;        // of its main process while that lives and is known
  Attempt exit_attempt;   // the newest whose end has been counted
  uint64_t exits = 0;     // main processes reaped
  uint32_t restarts = 0;  // automatic ones
  uint32_t failures = 0;  // restarts in a row
  Instant window_start;   // of the rate limit
  uint32_t window_count = 0;

  Instant since;     // of the state
  Instant started;   // the spawn of `attempt` was asked for
  Instant running;   // `attempt` was known to execute
  Instant deadline;  // backoff: next restart; stopping: next SIGKILL; {0} otherwise
  LastExit last_exit;
  std::string detail;  // a sentence to `cause`, may be empty; at most 87 bytes are shown

  Verb job_verb = Verb::none;  // the job under way
  JobId job;
  JobOutcome job_outcomes[kJobOutcomes];  // newest first

  bool operator==(const UnitRecord&) const = default;
};

[[nodiscard]] constexpr bool at_rest(UnitState state) {
  return state == UnitState::stopped || state == UnitState::exited || state == UnitState::failed;
}

}  // namespace foster::core
