// The numbers by which foster's parts speak of the same thing.
#pragma once

#include <compare>
#include <cstdint>

namespace foster {

/// A unit's place in the current UnitSet, which is sorted by name. Meaningless in another set.
struct UnitIndex {
  uint32_t value = 0;
  auto operator<=>(const UnitIndex&) const = default;
};

/// One run of one unit's main process. The number grows over the life of the instance and is never
/// used twice, over manager crashes either (the keeper hands over the highest it has seen), so an
/// event that carries an old attempt can be told from a new one and dropped. 0 means "none".
struct Attempt {
  uint64_t value = 0;
  auto operator<=>(const Attempt&) const = default;
};

/// A request that a unit reach a state, as something that a client can wait for. Grows over the
/// life of the instance; at most 2^56 - 1, because the region packs it with its result. 0 means
/// "none".
struct JobId {
  uint64_t value = 0;
  auto operator<=>(const JobId&) const = default;
};

}  // namespace foster
