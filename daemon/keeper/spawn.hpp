// From a spawn plan to a running child, and the report pipe that tells whether it came to that.
#pragma once

#include "daemon/keeper/keeper.hpp"

namespace foster::keeper {

/// `bytes` is a SpawnPlan with what follows it, 8-byte aligned, not to be trusted.
void spawn(Keeper& keeper, const unsigned char* bytes, size_t size);
void spawn_from_memfd(Keeper& keeper, uint64_t attempt, UniqueFd memfd);

/// Takes the report if it is there; true once it is, or was before.
bool take_report(Keeper& keeper, ChildEntry& child);
/// Takes those reports of fresh forks that are there, and leaves the others to epoll.
void watch_fresh(Keeper& keeper);

}  // namespace foster::keeper
