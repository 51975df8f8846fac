// What the manager asks for.
#pragma once

#include "daemon/keeper/keeper.hpp"

namespace foster::keeper {

enum class Reading {
  nothing,  // no packet was there
  done,     // one packet was read and acted upon
  over,     // there will be no more
};

/// Reads one packet and does what it says. Records that make no sense are logged and dropped.
Reading take_commands(Keeper& keeper);

/// A signal to everything of an attempt that is left; 0 or an errno, ESRCH when nothing is.
int kill_attempt(Keeper& keeper, ChildEntry& child, int signal, protocol::KillScope scope,
                 bool with_continue);

}  // namespace foster::keeper
