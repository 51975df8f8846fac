// The environment of a service. It begins clean and grows in this order, the later one winning:
// PATH and LANG, HOME USER LOGNAME SHELL of its user, the daemon's variables that pass-environment
// lets through, environment-files in their order, environment, and foster's own (FOSTER_UNIT,
// FOSTER_INSTANCE, FOSTER_ATTEMPT, FOSTER_INVOCATION). What a supervisor above tells the daemon
// (NOTIFY_SOCKET, LISTEN_FDS, ...) is never passed.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "common/ids.hpp"
#include "common/result.hpp"
#include "common/unit/unit_spec.hpp"
#include "daemon/manager/identity.hpp"

namespace foster::manager {

inline constexpr char kDefaultPath[] =
    "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

using Environment = std::vector<std::pair<std::string, std::string>>;

/// What is the same for all processes that a daemon starts.
struct DaemonFacts {
  std::string instance;    // what --instance would have to say to mean it
  std::string invocation;  // which run of fosterd: no other of this boot has the same
  std::string probe;       // the path of foster-probe
  const char* const* inherited = nullptr;  // the daemon's own environment, "NAME=value" each
};

/// Environment files are read now.
[[nodiscard]] Result<Environment> service_environment(const UnitSpec& unit,
                                                      const Identity& identity,
                                                      const DaemonFacts& daemon, Attempt attempt);

/// Sets a variable, or changes it.
void set_variable(Environment& environment, std::string_view name, std::string_view value);

/// The value of a variable, or null.
[[nodiscard]] const std::string* variable(const Environment& environment, std::string_view name);

}  // namespace foster::manager
