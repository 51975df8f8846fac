// What the core reports, in words: lines of the log, and the one-line summary for systemd.
#pragma once

#include <string>

#include "daemon/core/action.hpp"
#include "daemon/core/supervisor.hpp"

namespace foster::manager {

/// One line of the log for a note. `unit` is empty for the daemon itself.
void report(const core::Note& note, const std::string& unit);

/// "12 running, 1 failed"; counts that are 0 are left out.
[[nodiscard]] std::string summary(const core::Supervisor& core);

}  // namespace foster::manager
