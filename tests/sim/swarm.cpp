#include "tests/sim/swarm.hpp"

namespace foster::sim {
namespace {

uint64_t crash_rate(Random& random) {
  return one_of<uint64_t, 6>(random, {0, 0, 0, 10, 100, 1000});
}

void processes(Swarm& swarm, Random& random) {
  swarm.spawn_fails = coin(random);
  swarm.exits_at_once = coin(random);
  swarm.exits_unspawned = coin(random);
  swarm.spawned_told_late = coin(random);
  swarm.ignores_stop = coin(random);
  swarm.survives_kill_long = once_in(random, 4);
  swarm.group_remains = coin(random);
  swarm.kill_errors = coin(random);
  swarm.told_twice = once_in(random, 4);
  swarm.hooks_fail = coin(random);
  swarm.hooks_hang = coin(random);
  swarm.never_ready = coin(random);
  swarm.checks_fail = coin(random);
  swarm.conditions_fail = coin(random);
  swarm.pings_stop = coin(random);
  swarm.says_anything = once_in(random, 4);
  swarm.names_main = once_in(random, 4);
  swarm.main_unfound = once_in(random, 4);
  swarm.adopt_fails = once_in(random, 4);
  swarm.memory_high = coin(random);
}

void manager(Swarm& swarm, Random& random) {
  swarm.timers_late = coin(random);
  swarm.clock_leaps = once_in(random, 4);
  swarm.big_turns = coin(random);
  swarm.header_first = coin(random);
  swarm.crash_before_publish = crash_rate(random);
  swarm.crash_in_publish = crash_rate(random);
  swarm.crash_before_actions = crash_rate(random);
  swarm.crash_between_actions = crash_rate(random);
  swarm.region_lost = once_in(random, 8);
}

void clients(Swarm& swarm, Random& random) {
  swarm.asks_twice = once_in(random, 4);
  swarm.starts = coin(random);
  swarm.stops = coin(random);
  swarm.restarts = coin(random);
  swarm.signals = coin(random);
  swarm.reloads = coin(random);
  swarm.resets = coin(random);
  swarm.masks = once_in(random, 4);
  swarm.timers = coin(random);
  swarm.shutdown = one_of<uint64_t, 4>(random, {0, 0, 1000, 20000});
}

void sockets(Swarm& swarm, Random& random) {
  swarm.overlaps = once_in(random, 3);
  swarm.connections = coin(random);
  swarm.listen_fails = once_in(random, 4);
  swarm.daemon_apart = coin(random);
}

}  // namespace

Random aside(const Random& random) {
  Random copy = random;
  return Random(copy.next() ^ 0x736f636b65747321U);
}

Swarm random_swarm(Random& random) {
  Swarm swarm;
  processes(swarm, random);
  manager(swarm, random);
  Random more = aside(random);
  sockets(swarm, more);
  clients(swarm, random);
  return swarm;
}

}  // namespace foster::sim
