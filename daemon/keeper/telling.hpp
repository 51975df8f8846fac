// What the manager is told: the hand-over, signals and news, taken from the keeper's tables as the
// channel has room. Nothing is queued, so a manager that does not read costs nothing and misses
// nothing.
#pragma once

#include "daemon/keeper/keeper.hpp"

namespace foster::keeper {

/// Sends until all is told or the channel is full; then epoll tells when it has room again.
void tell_manager(Keeper& keeper);

/// For a manager that has just been started: from the beginning.
void begin_handover(Keeper& keeper);

}  // namespace foster::keeper
