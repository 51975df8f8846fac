// What the core is told. Values only: whoever makes them has resolved names and decoded messages.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "common/ids.hpp"
#include "common/instant.hpp"
#include "daemon/core/unit_state.hpp"

namespace foster::core {

/// Everything is loaded and recovered: raise what has goal up. Sent once, after recover().
struct Begin {
  bool first_manager = true;  // false: a successor; units keep the goals they were found with
  /// What to start: those that are enabled, or that --start named. What they depend on follows from
  /// the graph. Of a successor: units that are new in its set.
  std::vector<UnitIndex> initial;
};

/// Someone asks for units to be started, stopped or restarted. Answered by a Reply with the same
/// token.
struct Request {
  uint64_t token = 0;
  Verb verb = Verb::none;
  std::vector<UnitIndex> units;
};

/// Someone asks for a signal to the units' main processes. Answered by a Reply.
struct SignalRequest {
  uint64_t token = 0;
  int signal = 0;
  std::vector<UnitIndex> units;
};

/// Forbids starts of the unit, or allows them again. What runs goes on running.
struct MaskChange {
  UnitIndex unit;
  bool masked = false;
};

/// The unit's timer has elapsed: start it, unless it is active, or masked. Nothing is answered.
struct TimerElapsed {
  UnitIndex unit;
};

/// The answer to CheckConditions.
struct ConditionsChecked {
  UnitIndex unit;
  uint64_t token = 0;
  bool met = true;
  std::string reason;  // "path /etc/x does not exist"
};

/// Readiness that the shell has seen: a newline, a file, a line of output.
struct ReadySeen {
  UnitIndex unit;
  Attempt attempt;  // of the main process it is about
};

/// The sockets of a unit that is `listening` are open, and watched. May be told again.
struct Listening {
  UnitIndex unit;
};

/// Something has come to a socket of a unit that is `listening`.
struct ConnectionSeen {
  UnitIndex unit;
};

/// The sockets of a unit that is to listen cannot be opened, or watched.
struct ListenFailed {
  UnitIndex unit;
  std::string message;  // "cannot listen on tcp://0.0.0.0:80: already in use by nginx, process 3"
};

/// What a unit's process has said on $NOTIFY_SOCKET, admitted by notify-access. One message.
struct Notified {
  UnitIndex unit;
  Attempt attempt;  // whose group the sender is in, where that is the successor or the former main
                    // process; 0: the main one's, or not known
  bool ready = false;
  bool reloading = false;
  bool stopping = false;
  bool watchdog = false;
  bool watchdog_trigger = false;
  std::optional<int32_t> main_pid;
  std::optional<Duration> watchdog_interval;
  std::optional<Duration> extend_timeout;
  std::optional<int32_t> service_errno;
  std::optional<std::string> status_text;
};

/// The answers to FindMain: the daemon that a forking unit's command has left.
struct MainFound {
  UnitIndex unit;
  Attempt attempt;  // of the command that left it
  int32_t pid = 0;
};
struct MainNotFound {
  UnitIndex unit;
  Attempt attempt;
  std::string message;
};

/// The answer to EndKin: nothing is left.
struct KinEnded {
  UnitIndex unit;
  Attempt attempt;
};

/// The keeper cannot take the process as the main one: it is no child of its.
struct AdoptFailed {
  UnitIndex unit;
  Attempt attempt;
  int error = 0;
};

/// The answer to MeasureMemory.
struct MemoryMeasured {
  UnitIndex unit;
  Attempt attempt;
  uint64_t bytes = 0;
};

/// Stop everything and end. A second one hurries: SIGKILL at once.
struct ShutdownRequest {
  int exit_code = 0;
};

struct Spawned {
  UnitIndex unit;
  Attempt attempt;
  int32_t pid = 0;
};

struct SpawnFailed {
  UnitIndex unit;
  Attempt attempt;
  int error = 0;        // errno, may be 0
  std::string message;  // "cannot execute /x/y: No such file or directory"
};

struct Exited {
  UnitIndex unit;
  Attempt attempt;
  LastExit how;  // `clean` is the core's to decide
  bool group_remains = false;
};

struct GroupEmptied {
  UnitIndex unit;
  Attempt attempt;
};

struct KillFailed {
  UnitIndex unit;
  Attempt attempt;
  int signal = 0;
  int error = 0;
};

using Event =
    std::variant<Begin, Request, SignalRequest, ShutdownRequest, Spawned, SpawnFailed, Exited,
                 GroupEmptied, KillFailed, MaskChange, TimerElapsed, ConditionsChecked, ReadySeen,
                 Notified, MainFound, MainNotFound, KinEnded, AdoptFailed, MemoryMeasured,
                 Listening, ConnectionSeen, ListenFailed>;

}  // namespace foster::core
