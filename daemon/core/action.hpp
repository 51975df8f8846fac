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
};

struct JobRef {
  UnitIndex unit;
  JobId job;
};

enum class Refusal : uint8_t { none, shutting_down, not_running };

/// The answer to a Request or SignalRequest. All or nothing: with a refusal, nothing was changed.
struct Reply {
  uint64_t token = 0;
  Refusal refusal = Refusal::none;
  UnitIndex refused_for;     // not_running: the first unit that has no process
  std::vector<JobRef> jobs;  // in the request's order; job 0 for signals
};

/// For the flight recorder and the log.
enum class NoteKind : uint8_t { state, exit, signal, request, shutdown };
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

using Action = std::variant<Spawn, Kill, Acknowledge, Reply, Note, InitialUnitsSettled, EndDaemon>;

}  // namespace foster::core
