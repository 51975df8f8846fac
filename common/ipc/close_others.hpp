// What a forked process that does not execute anything owes the others: to hold nothing open that
// is theirs. libc only, and nothing that is unsafe after a fork.
#pragma once

#include <span>

namespace foster {

/// Closes every descriptor from 3 on but those that are `kept`, of which any may be -1.
void close_others(std::span<const int> kept);

}  // namespace foster
