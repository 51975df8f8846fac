// Ends: who died, and whether anybody of its group is left.
#pragma once

#include "daemon/keeper/keeper.hpp"

namespace foster::keeper {

/// Reaps everything that has died. One SIGCHLD may stand for many deaths.
void reap(Keeper& keeper);

/// The main process of an attempt that had come to execute has been reaped.
void main_died(Keeper& keeper, ChildEntry& child, const Death& death);

/// Whether somebody is left in the group of a main process that has been reaped; the attempt is
/// over when not. A number that is still used by a group is not given to a new process: as long as
/// the group can be signalled and no process has its number, it is the one that the attempt left
/// behind. (A leader that is not the main process, but outlives it, is the exception: see `led`.)
bool group_remains(Keeper& keeper, ChildEntry& child);

/// The same for every attempt that lingers: the last of a group may have been reaped by a process
/// outside it, unseen.
void look_at_groups(Keeper& keeper);

/// A new process has this pid: no group that was left behind can have it as its number.
void pid_taken(Keeper& keeper, pid_t pid);

}  // namespace foster::keeper
