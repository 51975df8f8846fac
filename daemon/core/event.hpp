// What the core is told. Values only: whoever makes them has resolved names and decoded messages.
#pragma once

#include <cstdint>
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

using Event = std::variant<Begin, Request, SignalRequest, ShutdownRequest, Spawned, SpawnFailed,
                           Exited, GroupEmptied, KillFailed>;

}  // namespace foster::core
