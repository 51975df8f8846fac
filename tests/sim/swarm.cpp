#include "tests/sim/swarm.hpp"

#include <array>
#include <csignal>

namespace foster::sim {
namespace {

using std::chrono::milliseconds;

template <class T, size_t kCount>
T one_of(Random& random, const std::array<T, kCount>& choices) {
  return choices[random.next() % kCount];
}

bool coin(Random& random) {
  return once_in(random, 2);
}

uint64_t crash_rate(Random& random) {
  return one_of<uint64_t, 6>(random, {0, 0, 0, 10, 100, 1000});
}

RestartSpec random_restart(Random& random) {
  RestartSpec spec;
  spec.policy = one_of<RestartPolicy, 4>(random, {RestartPolicy::always, RestartPolicy::always,
                                                  RestartPolicy::on_failure, RestartPolicy::never});
  spec.delay = milliseconds(one_of<int64_t, 5>(random, {0, 0, 1, 200, 5000}));
  spec.factor = one_of<double, 3>(random, {1.0, 2.0, 10.0});
  spec.max_delay =
      std::max(spec.delay, Duration(milliseconds(one_of<int64_t, 3>(random, {1, 1000, 30000}))));
  spec.jitter = one_of<double, 4>(random, {0.0, 0.0, 0.1, 1.0});
  spec.reset_after = milliseconds(one_of<int64_t, 4>(random, {0, 50, 1000, 60000}));
  spec.limit = one_of<uint32_t, 5>(random, {0, 0, 1, 3, 10});
  spec.limit_interval = milliseconds(one_of<int64_t, 3>(random, {10, 1000, 10000}));
  return spec;
}

UnitSpec random_unit(Random& random, std::string name) {
  UnitSpec spec;
  spec.name = std::move(name);
  spec.command = {"/bin/service"};
  spec.type = once_in(random, 3) ? ServiceType::oneshot : ServiceType::simple;
  spec.essential = once_in(random, 40);
  if (once_in(random, 4)) spec.success_exit_codes = {0, 3};
  spec.restart = random_restart(random);
  spec.stop.signal = one_of<int, 5>(random, {SIGTERM, SIGTERM, SIGINT, SIGQUIT, SIGKILL});
  spec.stop.timeout = milliseconds(one_of<int64_t, 4>(random, {0, 10, 1000, 10000}));
  spec.stop.scope = coin(random) ? SignalScope::group : SignalScope::main;
  return spec;
}

}  // namespace

Swarm random_swarm(Random& random) {
  Swarm swarm;
  swarm.spawn_fails = coin(random);
  swarm.exits_at_once = coin(random);
  swarm.exits_unspawned = coin(random);
  swarm.spawned_told_late = coin(random);
  swarm.ignores_stop = coin(random);
  swarm.survives_kill_long = once_in(random, 4);
  swarm.group_remains = coin(random);
  swarm.timers_late = coin(random);
  swarm.clock_leaps = once_in(random, 4);
  swarm.kill_errors = coin(random);
  swarm.big_turns = coin(random);
  swarm.asks_twice = once_in(random, 4);
  swarm.header_first = coin(random);
  swarm.crash_before_publish = crash_rate(random);
  swarm.crash_in_publish = crash_rate(random);
  swarm.crash_before_actions = crash_rate(random);
  swarm.crash_between_actions = crash_rate(random);
  swarm.region_lost = once_in(random, 8);
  swarm.starts = coin(random);
  swarm.stops = coin(random);
  swarm.restarts = coin(random);
  swarm.signals = coin(random);
  swarm.shutdown = one_of<uint64_t, 4>(random, {0, 0, 1000, 20000});
  return swarm;
}

std::shared_ptr<const UnitSet> random_units(Random& random) {
  const int64_t count = between(random, 1, 12);
  std::vector<UnitSpec> units;
  for (int64_t i = 0; i < count; ++i) {
    const char letter = static_cast<char>('a' + i);
    units.push_back(random_unit(random, std::string("unit-") + letter));
  }
  return std::make_shared<const UnitSet>(std::move(units));
}

}  // namespace foster::sim
