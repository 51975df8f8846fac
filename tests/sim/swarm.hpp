// What one seed is about: which faults may happen and which units there are. Swarm testing: every
// seed turns on a random part of the faults and of the features only, so that rare combinations get
// whole runs to themselves.
#pragma once

#include <array>
#include <memory>

#include "common/unit/unit_set.hpp"
#include "daemon/core/random.hpp"

namespace foster::sim {

using core::Random;

/// At least `from`, at most `to`.
[[nodiscard]] inline int64_t between(Random& random, int64_t from, int64_t to) {
  return from + static_cast<int64_t>(random.next() % static_cast<uint64_t>(to - from + 1));
}

/// True once in `n` times on average; never for 0.
[[nodiscard]] inline bool once_in(Random& random, uint64_t n) {
  return n != 0 && random.next() % n == 0;
}

[[nodiscard]] inline bool coin(Random& random) {
  return once_in(random, 2);
}

template <class Value, size_t kCount>
[[nodiscard]] Value one_of(Random& random, const std::array<Value, kCount>& choices) {
  return choices[random.next() % kCount];
}

/// The faults that a seed allows. Numbers mean "once in so many chances", 0 = never.
struct Swarm {
  bool spawn_fails = false;
  bool exits_at_once = false;
  bool exits_unspawned = false;    // the exit is told, that it was spawned is not
  bool spawned_told_late = false;  // that it was spawned is told after its exit
  bool ignores_stop = false;
  bool survives_kill_long = false;
  bool group_remains = false;
  bool timers_late = false;
  bool clock_leaps = false;
  bool kill_errors = false;
  bool big_turns = false;     // many events between two publishes
  bool asks_twice = false;    // the same unit twice in a request
  bool header_first = false;  // a publish that is cut short has written the header already
  bool told_twice = false;    // the keeper repeats old news
  bool hooks_fail = false;
  bool hooks_hang = false;
  bool never_ready = false;
  bool checks_fail = false;      // readiness and health checks
  bool conditions_fail = false;  // one that is not met may be met the next time
  bool pings_stop = false;       // no WATCHDOG=1 any more
  bool says_anything = false;    // all that sd_notify(3) knows, at any time
  bool names_main = false;       // MAINPID of another process, and its own end after it
  bool main_unfound = false;     // of a forking unit
  bool adopt_fails = false;
  bool daemon_apart = false;  // what is to be the main process has a session of its own
  bool memory_high = false;
  uint64_t crash_before_publish = 0;
  uint64_t crash_in_publish = 0;
  uint64_t crash_before_actions = 0;
  uint64_t crash_between_actions = 0;
  bool region_lost = false;  // a crash may take the region with it
  bool starts = false;
  bool stops = false;
  bool restarts = false;
  bool signals = false;
  bool reloads = false;
  bool resets = false;
  bool masks = false;
  bool timers = false;
  bool overlaps = false;
  bool connections = false;
  bool listen_fails = false;
  uint64_t shutdown = 0;
};

/// Another generator from the same seed: what came later draws from it, so that a seed goes on to
/// mean what it meant.
[[nodiscard]] Random aside(const Random& random);

[[nodiscard]] Swarm random_swarm(Random& random);

/// A set of 1 to 12 units with a random spec each, and a random graph between them.
[[nodiscard]] std::shared_ptr<const UnitSet> random_units(Random& random);

}  // namespace foster::sim
