// The units of a seed. Which features they use at all is drawn first, for the whole set.
#include <algorithm>
#include <csignal>
#include <vector>

#include "tests/sim/swarm.hpp"

namespace foster::sim {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

struct Features {
  explicit Features(Random& random)
      : types(random.next() % 3),
        edges(random.next() % 3),
        ready(coin(random)),
        hooks(coin(random)),
        health(coin(random)),
        conditions(once_in(random, 3)),
        on_failure(once_in(random, 3)) {}

  uint64_t types;  // 0: simple and oneshot alone
  uint64_t edges;  // 0: none, 1: few, 2: many
  bool ready;
  bool hooks;
  bool health;
  bool conditions;
  bool on_failure;
};

RestartSpec random_restart(Random& random) {
  RestartSpec spec;
  spec.policy = one_of<RestartPolicy, 8>(
      random, {RestartPolicy::always, RestartPolicy::always, RestartPolicy::on_failure,
               RestartPolicy::on_failure, RestartPolicy::never, RestartPolicy::never,
               RestartPolicy::on_abnormal, RestartPolicy::on_watchdog});
  spec.delay = milliseconds(one_of<int64_t, 5>(random, {0, 0, 1, 200, 5000}));
  spec.factor = one_of<double, 3>(random, {1.0, 2.0, 10.0});
  spec.max_delay =
      std::max(spec.delay, Duration(milliseconds(one_of<int64_t, 3>(random, {1, 1000, 30000}))));
  spec.jitter = one_of<double, 4>(random, {0.0, 0.0, 0.1, 1.0});
  spec.reset_after = milliseconds(one_of<int64_t, 4>(random, {0, 50, 1000, 60000}));
  spec.limit = one_of<uint32_t, 5>(random, {0, 0, 1, 3, 10});
  spec.limit_interval = milliseconds(one_of<int64_t, 3>(random, {10, 1000, 10000}));
  if (once_in(random, 30)) spec.limit_action = LimitAction::stop_all;
  if (once_in(random, 8)) spec.prevent_exit_codes = {2};
  if (once_in(random, 8)) spec.force_exit_codes = {1, 3};
  return spec;
}

void random_ready(Random& random, UnitSpec& spec) {
  ReadySpec& ready = spec.ready.make();
  ready.kind = static_cast<ReadyKind>(between(random, 1, 8));
  if (spec.type == ServiceType::notify) ready.kind = ReadyKind::notify;
  ready.command = {"/bin/check"};
  ready.target = "target";
  ready.timeout = milliseconds(one_of<int64_t, 4>(random, {0, 200, 1000, 90000}));
  ready.interval = milliseconds(one_of<int64_t, 3>(random, {10, 500, 2000}));
  ready.on_timeout = coin(random) ? ReadyTimeout::fail : ReadyTimeout::run;
}

void random_hooks(Random& random, UnitSpec& spec) {
  HooksSpec& hooks = spec.hooks.make();
  for (HookSpec& hook : hooks.hooks) {
    if (!once_in(random, 3)) continue;
    hook.commands.assign(static_cast<size_t>(between(random, 1, 3)), Argv{"/bin/hook"});
    hook.timeout = milliseconds(one_of<int64_t, 3>(random, {50, 1000, 30000}));
  }
  if (coin(random)) hooks.reload_signal = SIGHUP;
}

/// A unit whose run always ends in failure would never settle, so its restarts come to an end.
void limit_runtime(Random& random, UnitSpec& spec) {
  spec.health.make().max_runtime = milliseconds(one_of<int64_t, 2>(random, {100, 20000}));
  spec.restart.limit = 3;
  spec.restart.limit_interval = seconds(100000);
}

void random_health(Random& random, UnitSpec& spec) {
  HealthSpec& health = spec.health.make();
  if (coin(random)) health.kind = static_cast<HealthKind>(between(random, 1, 4));
  health.command = {"/bin/check"};
  health.interval = milliseconds(one_of<int64_t, 3>(random, {200, 2000, 10000}));
  health.timeout = milliseconds(one_of<int64_t, 2>(random, {100, 5000}));
  health.failures = static_cast<uint32_t>(between(random, 1, 3));
  health.successes = static_cast<uint32_t>(between(random, 1, 2));
  health.start_period = milliseconds(one_of<int64_t, 3>(random, {0, 0, 3000}));
  health.action = one_of<HealthAction, 4>(random, {HealthAction::restart, HealthAction::restart,
                                                   HealthAction::stop, HealthAction::none});
  if (once_in(random, 3)) health.watchdog = milliseconds(one_of<int64_t, 2>(random, {500, 5000}));
  if (once_in(random, 3)) health.memory_max = 1'000'000;
  if (once_in(random, 8)) limit_runtime(random, spec);
}

void random_conditions(Random& random, UnitSpec& spec) {
  const int64_t count = between(random, 1, 3);
  for (int64_t i = 0; i < count; ++i) {
    ConditionSpec condition;
    condition.kind = coin(random) ? ConditionKind::command : ConditionKind::path_exists;
    condition.negated = once_in(random, 4);
    condition.value = "/etc/x";
    condition.command = {"/bin/condition"};
    spec.conditions.push_back(condition);
  }
}

ServiceType random_type(Random& random, const Features& features) {
  if (features.types == 0) {
    return once_in(random, 3) ? ServiceType::oneshot : ServiceType::simple;
  }
  return static_cast<ServiceType>(random.next() % 5);
}

UnitSpec random_unit(Random& random, std::string name, const Features& features) {
  UnitSpec spec;
  spec.name = std::move(name);
  spec.type = random_type(random, features);
  spec.enabled = !once_in(random, 5);
  spec.restart_dependents = !once_in(random, 4);
  spec.essential = once_in(random, 40);
  if (once_in(random, 4)) spec.success_exit_codes = {0, 3};
  spec.restart = random_restart(random);
  spec.stop.signal = one_of<int, 5>(random, {SIGTERM, SIGTERM, SIGINT, SIGQUIT, SIGKILL});
  spec.stop.timeout = milliseconds(one_of<int64_t, 4>(random, {0, 10, 1000, 10000}));
  spec.stop.scope = coin(random) ? SignalScope::group : SignalScope::main;
  if (features.conditions && once_in(random, 3)) random_conditions(random, spec);
  if (spec.type == ServiceType::group) return spec;
  spec.command = {"/bin/service"};
  if (spec.type == ServiceType::oneshot) {
    spec.more_commands.assign(static_cast<size_t>(random.next() % 3), Argv{"/bin/more"});
    spec.remain_after_exit = coin(random);
  } else {
    if (features.ready && coin(random)) random_ready(random, spec);
    if (features.health && coin(random)) random_health(random, spec);
  }
  if (features.hooks && coin(random)) random_hooks(random, spec);
  if (once_in(random, 8)) spec.timer.make().every = seconds(1);
  return spec;
}

/// Edges go from later units to earlier ones in `order`, so there are no cycles.
class GraphMaker {
 public:
  GraphMaker(Random& random, std::vector<UnitSpec>& units)
      : random_(random), units_(units), pulled_(units.size()) {
    for (size_t i = 0; i < units.size(); ++i) {
      order_.push_back(i);
      pulled_[i].assign(units.size(), false);
      pulled_[i][i] = true;
    }
    for (size_t i = units.size(); i > 1; --i)
      std::swap(order_[i - 1], order_[random.next() % i]);
  }

  void edges(size_t count) {
    for (size_t i = 0; i < count; ++i) {
      const size_t later = 1 + random_.next() % (order_.size() - 1);
      edge(order_[later], order_[random_.next() % later]);
    }
    for (size_t i = 0; i < count / 4 + 1; ++i)
      conflict(random_.next() % units_.size(), random_.next() % units_.size());
  }

 private:
  void edge(size_t from, size_t to) {
    DependsSpec& depends = units_[from].depends.make();
    const Reference reference{.name = units_[to].name, .place = {}};
    switch (random_.next() % 7) {
      case 0:
      case 1:
        depends.requires_units.push_back(reference);
        return pulls(from, to);
      case 2:
        depends.binds_to.push_back(reference);
        return pulls(from, to);
      case 3:
        depends.wants.push_back(reference);
        return pulls(from, to);
      case 4:
        if (units_[to].type != ServiceType::oneshot) return;
        depends.completed.push_back(reference);
        return pulls(from, to);
      case 5:
        return depends.after.push_back(reference);
      default:
        depends.part_of.push_back(reference);
        return pulls(from, to);
    }
  }

  void pulls(size_t from, size_t to) {
    for (std::vector<bool>& by : pulled_) {
      if (!by[from]) continue;
      for (size_t i = 0; i < by.size(); ++i)
        by[i] = by[i] || pulled_[to][i];
    }
  }

  void conflict(size_t one, size_t other) {
    if (one == other) return;
    for (const std::vector<bool>& by : pulled_)
      if (by[one] && by[other]) return;
    const Reference reference{.name = units_[other].name, .place = {}};
    units_[one].depends.make().conflicts.push_back(reference);
  }

  Random& random_;
  std::vector<UnitSpec>& units_;
  std::vector<size_t> order_;
  std::vector<std::vector<bool>> pulled_;  // and parts, which conflict with nobody either
};

/// Answers to failures go to later units only, or they could answer each other for ever.
void random_answers(Random& random, std::vector<UnitSpec>& units) {
  for (UnitSpec& unit : units) {
    const std::string& other = units[random.next() % units.size()].name;
    if (other <= unit.name || !coin(random)) continue;
    const Reference reference{.name = other, .place = {}};
    if (coin(random)) {
      unit.hooks.make().on_failure = reference;
    } else {
      unit.restart.limit_action = LimitAction::start_unit;
      unit.restart.limit_unit.make() = reference;
    }
  }
}

void random_sockets(Random random, std::vector<UnitSpec>& units) {
  const bool listen = once_in(random, 3);
  const bool overlap = coin(random);
  for (UnitSpec& unit : units) {
    unit.restart.overlap = overlap && coin(random);
    if (!listen || !coin(random) || unit.type == ServiceType::group) continue;
    DescriptorsSpec& descriptors = unit.descriptors.make();
    descriptors.start_on = StartOn::first_connection;
    descriptors.trigger_limit = one_of<uint32_t, 4>(random, {0, 1, 3, 20});
    descriptors.trigger_interval = milliseconds(one_of<int64_t, 3>(random, {100, 2000, 60000}));
  }
}

}  // namespace

std::shared_ptr<const UnitSet> random_units(Random& random) {
  const int64_t count = between(random, 1, 12);
  const Features features(random);
  std::vector<UnitSpec> units;
  for (int64_t i = 0; i < count; ++i) {
    const char letter = static_cast<char>('a' + i);
    units.push_back(random_unit(random, std::string("unit-") + letter, features));
  }
  if (features.edges > 0 && count > 1) {
    GraphMaker(random, units).edges(static_cast<size_t>(count) * features.edges);
  }
  if (features.on_failure) random_answers(random, units);
  random_sockets(aside(random), units);
  return std::make_shared<const UnitSet>(std::move(units));
}

}  // namespace foster::sim
