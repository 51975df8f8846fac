// Sleeping until a word of shared memory changes (futex(2)). Never the PRIVATE kind: the sleepers
// are other processes, which see the word through read-only mappings of their own.
#pragma once

#include <cstdint>
#include <optional>

#include "common/instant.hpp"

namespace foster::region {

/// Sleeps while `word` is `seen`, until woken, interrupted or timed out. The caller looks again.
void futex_wait(const uint32_t& word, uint32_t seen, std::optional<Duration> limit);

void futex_wake_all(const uint32_t& word);

}  // namespace foster::region
