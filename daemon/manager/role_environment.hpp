// What a process is told of the unit it belongs to, beyond the unit's own environment: why it runs,
// and how things stand.
//   FOSTER_HOOK          hooks, condition commands and checks: "pre-start", ..., "condition",
//                        "ready", "health"
//   MAINPID              the same, while there is a main process
//   FOSTER_EXIT_KIND     post-stop: how the main process ended: exited, killed, dumped, spawn (it
//                        could not be executed), none (it was never started)
//   FOSTER_EXIT_CODE     its exit code, where it exited
//   FOSTER_EXIT_SIGNAL   the signal's name, where one killed it
//   FOSTER_RESULT        post-stop, in a word: success, exit-code, signal, core-dump, spawn,
//                        start-timeout, stop-timeout, watchdog, health, max-runtime, hook
//   FOSTER_FAILED_UNIT   of a unit that on-failure starts: whose failure it is, and likewise
//   FOSTER_FAILED_CAUSE, FOSTER_FAILED_EXIT_KIND, FOSTER_FAILED_EXIT_CODE,
//   FOSTER_FAILED_EXIT_SIGNAL
//   WATCHDOG_USEC, WATCHDOG_PID   sd_watchdog_enabled(3)
#pragma once

#include "daemon/core/action.hpp"
#include "daemon/core/supervisor.hpp"
#include "daemon/manager/environment.hpp"

namespace foster::manager {

[[nodiscard]] Environment role_environment(const core::Supervisor& core, const core::Spawn& spawn);

/// "exit", "start-timeout", ...: `cause` for programs.
[[nodiscard]] const char* cause_word(core::Cause cause);

}  // namespace foster::manager
