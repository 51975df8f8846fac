// What the core wants done. The executor (or the simulator) performs actions in the order given,
// after the changed units have been published; a failure comes back as an event.
#pragma once

#include <cstdint>
#include <string>
#include <variant>
#include <vector>

#include "common/ids.hpp"
#include "daemon/core/unit_state.hpp"

namespace foster::core {

struct Spawn {
  UnitIndex unit;
  Attempt attempt;
  Role role = Role::main;
  uint16_t index = 0;    // which command of the role
  Attempt main_attempt;  // of a side process: the attempt it is about; 0: none
  uint32_t trigger = 0;  // one more than the unit whose failure this start answers; 0: none
};

/// Make this process, which the unit's command left or the unit has named, the main process of a
/// new attempt. Answered by Spawned or AdoptFailed.
struct Adopt {
  UnitIndex unit;
  Attempt attempt;
  Attempt from;  // the attempt that it takes over from
  int32_t pid = 0;
};

/// Which process is the daemon that a forking unit's command has left? Answered by MainFound or
/// MainNotFound; the core keeps the time.
struct FindMain {
  UnitIndex unit;
  Attempt attempt;
};

/// End whatever a forking unit's command has left that is no main process, in whatever session it
/// is, by this signal. Answered by KinEnded once nothing of it lives; asked again, the signal goes
/// once more to those that do.
struct EndKin {
  UnitIndex unit;
  Attempt attempt;  // of the command
  int signal = 0;
};

/// Are the conditions met that need no process? Answered by ConditionsChecked.
struct CheckConditions {
  UnitIndex unit;
  uint64_t token = 0;
};

/// How much memory do the processes of this attempt's group use? Answered by MemoryMeasured.
struct MeasureMemory {
  UnitIndex unit;
  Attempt attempt;
};

struct Kill {
  UnitIndex unit;
  Attempt attempt;
  int signal = 0;
  bool group = false;          // else the main process
  bool with_continue = false;  // SIGCONT after it, so that a stopped process can die
};

/// The end of this attempt is recorded; the keeper may forget it.
struct Acknowledge {
  Attempt attempt;
  bool abandon = false;  // its group is the business of another attempt now
};

struct JobRef {
  UnitIndex unit;
  JobId job;
};

enum class Refusal : uint8_t {
  none,
  shutting_down,
  not_running,
  masked,
  cannot_reload,
  cannot_overlap,
};

/// The answer to a Request or SignalRequest. All or nothing: with a refusal, nothing was changed.
struct Reply {
  uint64_t token = 0;
  Refusal refusal = Refusal::none;
  UnitIndex refused_for;  // the first unit that is not running, masked, or cannot reload or overlap
  std::vector<JobRef> jobs;  // in the request's order; job 0 for signals
};

/// For the flight recorder and the log.
enum class NoteKind : uint8_t { state, exit, signal, request, shutdown, hook, health, ready };
struct Note {
  NoteKind kind = NoteKind::state;
  UnitIndex unit;
  bool about_unit = true;
  UnitState state = UnitState::stopped;  // the unit's state after it
  Cause cause = Cause::none;
  ExitKind exit_kind = ExitKind::none;
  Attempt attempt;
  int32_t pid = 0;
  int value = 0;  // exit code or signal; signal sent; the daemon's exit code
  std::string text;
};

/// The units of the start are all up, done, failed or in backoff. Once.
struct InitialUnitsSettled {};

/// Everything is stopped: end the daemon with this code. Once, and nothing follows: events that
/// come after it lead to nothing, requests among them to no reply.
struct EndDaemon {
  int exit_code = 0;
};

using Action = std::variant<Spawn, Kill, Acknowledge, Reply, Note, InitialUnitsSettled, EndDaemon,
                            Adopt, FindMain, EndKin, CheckConditions, MeasureMemory>;

}  // namespace foster::core
