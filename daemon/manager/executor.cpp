#include "daemon/manager/executor.hpp"

#include <algorithm>
#include <iterator>
#include <utility>

#include "daemon/manager/errand.hpp"
#include "daemon/manager/role_environment.hpp"
#include "daemon/manager/spawn_plan.hpp"

namespace foster::manager {

Executor::Executor(KeeperClient& keeper, const core::Supervisor& core, DaemonFacts daemon,
                   Extras extras, Queue queue)
    : keeper_(keeper),
      core_(core),
      daemon_(std::move(daemon)),
      extras_(std::move(extras)),
      queue_(std::move(queue)) {}

Result<void> Executor::try_spawn(const core::Spawn& spawn) {
  auto extras = extras_(spawn);
  if (!extras) return std::unexpected(std::move(extras.error()));
  ProcessOrder order{spawn.attempt, spawn.role, spawn.index, std::move(*extras)};
  Environment facts = role_environment(core_, spawn);
  std::ranges::move(facts, std::back_inserter(order.extras.environment));
  const auto plan = spawn_plan(core_.set()[spawn.unit], order, daemon_, identities_);
  if (!plan) return std::unexpected(plan.error());
  keeper_.spawn(*plan, order.extras.descriptors);
  return {};
}

void Executor::spawn(const core::Spawn& spawn) {
  if (auto spawned = try_spawn(spawn); !spawned)
    queue_(core::SpawnFailed{spawn.unit, spawn.attempt, spawned.error().system_error,
                             spawned.error().message});
}

void Executor::adopt(const core::Adopt& adopt) {
  keeper_.adopt(adopt.attempt, adopt.from, adopt.pid, tag_of(core::Role::main, 0));
}

void Executor::kill(const core::Kill& kill) {
  keeper_.kill(kill.attempt, kill.signal, kill.group, kill.with_continue);
}

void Executor::acknowledge(const core::Acknowledge& end) {
  keeper_.acknowledge(end.attempt, end.abandon);
}

void Executor::turn_ended() {
  keeper_.flush();
  identities_.clear();
}

}  // namespace foster::manager
