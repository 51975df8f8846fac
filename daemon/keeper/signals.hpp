// Signals: which of them the keeper reads from its descriptor, which it ignores, and how a child
// gets them back as a program expects to find them. And the terminal, which is about signals, too.
#pragma once

#include <sys/types.h>

namespace foster::keeper {

/// The signals that the keeper passes on to the manager, in a fixed order, for tables.
inline constexpr int kForwardedSignals = 8;
[[nodiscard]] int forwarded_signal(int i);
/// SIGTERM and SIGINT: the keeper sees to it that they are obeyed.
[[nodiscard]] bool asks_to_stop(int signal);

/// Blocks and ignores as the keeper needs it; the signalfd, or -1 and errno.
[[nodiscard]] int open_signals();

/// Between fork and execve of a service: async-signal-safe.
void reset_signals_for_child();
/// The same for the manager, which keeps SIGTTIN and SIGTTOU ignored (keeper_protocol.hpp).
void reset_signals_for_manager();

/// Makes a group the foreground one of the terminal that stdin is; 0, also when it is none, or an
/// errno.
[[nodiscard]] int take_terminal(pid_t group);

}  // namespace foster::keeper
