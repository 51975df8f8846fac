// The descriptors that fosterd was started with: those that $LISTEN_FDS speaks of
// (sd_listen_fds(3)) are kept for the managers to hand on, all others are closed.
#pragma once

#include "daemon/keeper/keeper.hpp"

namespace foster::keeper {

/// Before anything else is opened.
void take_inherited(Keeper& keeper);

}  // namespace foster::keeper
