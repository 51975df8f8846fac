// What a unit file says, as a value. A UnitSpec is complete (every key has its value or its
// default) and checked on its own; what needs the other units to be judged is checked in UnitSet.
// Strings are as written: `${NAME}` in `command` is expanded at each start (expansion.hpp).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "common/instant.hpp"

namespace foster {

/// Longest unit name in bytes. The status region's slot has room for it and a NUL.
inline constexpr size_t kUnitNameMax = 95;

enum class ServiceType : uint8_t {
  simple,   // running as soon as its program has been executed
  oneshot,  // done when its program has exited 0; its state is then `exited`
};

enum class RestartPolicy : uint8_t {
  always,      // whenever it ends without having been asked to
  on_failure,  // when it ends otherwise than with a success exit code
  never,
};

/// Whom the stop signal goes to. SIGKILL after the timeout always goes to the whole process group.
enum class SignalScope : uint8_t {
  group,  // every process of the unit's process group
  main,   // the main process alone; the rest of the group gets it once the main process is gone
};

struct EnvironmentFile {
  std::string path;
  bool optional = false;  // written with a leading '-': a missing file is no error
};

struct RestartSpec {
  RestartPolicy policy = RestartPolicy::on_failure;
  Duration delay = std::chrono::milliseconds(200);  // before the first restart
  double factor = 2.0;                              // 1 to 100; each restart in a row waits longer
  Duration max_delay = std::chrono::seconds(30);
  double jitter = 0.0;  // 0 to 1: the delay is varied by up to this share of it, both ways
  Duration reset_after = std::chrono::minutes(1);  // a run this long makes the delay start afresh
  uint32_t limit = 10;  // more automatic restarts than this within limit_interval: failed; 0 = none
  Duration limit_interval = std::chrono::seconds(10);
};

struct StopSpec {
  int signal = 15;                              // SIGTERM
  Duration timeout = std::chrono::seconds(10);  // then SIGKILL
  SignalScope scope = SignalScope::group;
};

struct UnitSpec {
  std::string name;  // the file's name without ".toml"
  std::string file;  // the path it was read from; empty for the unit made by `fosterd -- COMMAND`
  std::string description;  // one line, may be empty
  bool essential = false;  // when it is gone for good, all is stopped and its code becomes foster's

  ServiceType type = ServiceType::simple;
  std::vector<std::string> command;  // never empty; command[0] a path, or a name looked up in PATH
  std::optional<std::string> user;   // name or number; unset: the daemon's own
  std::optional<std::string> group;  // name or number; unset: the user's first group
  std::optional<std::string> working_directory;  // absolute; unset: "/"
  std::optional<uint32_t> umask;                 // 0 to 0777; unset: 022
  std::vector<std::pair<std::string, std::string>> environment;
  std::vector<EnvironmentFile> environment_files;
  std::vector<std::string> pass_environment;  // fnmatch patterns of the daemon's own variables
  std::vector<int> success_exit_codes{0};     // each 0 to 255, ascending, 0 always among them
  bool foreground = false;  // not a key: `fosterd -- COMMAND` keeps the daemon's stdin and terminal
                            // and working directory

  RestartSpec restart;
  StopSpec stop;
};

}  // namespace foster
