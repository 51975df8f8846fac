// A process that a service has left, or named, becomes the main one of an attempt.
#pragma once

#include "daemon/keeper/keeper.hpp"

namespace foster::keeper {

void adopt(Keeper& keeper, const protocol::Adopt& order);

}  // namespace foster::keeper
