// Ends: who died, and whether anybody of its group is left.
#pragma once

#include "daemon/keeper/keeper.hpp"

namespace foster::keeper {

/// Reaps everything that has died. One SIGCHLD may stand for many deaths.
void reap(Keeper& keeper);

/// Whether somebody is left in the group of a main process that has been reaped; the attempt is
/// over when not. A number that is still used by a group is not given to a new process: as long as
/// the group can be signalled and no process has its number, it is the one that the attempt left
/// behind.
bool group_remains(Keeper& keeper, ChildEntry& child);

/// A new process has this pid: no group that was left behind can have it as its number.
void pid_taken(Keeper& keeper, pid_t pid);

}  // namespace foster::keeper
