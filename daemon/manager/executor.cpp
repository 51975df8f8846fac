#include "daemon/manager/executor.hpp"

#include "daemon/manager/spawn_plan.hpp"

namespace foster::manager {

Executor::Executor(KeeperClient& keeper, std::shared_ptr<const UnitSet> set, std::string instance,
                   const char* const* inherited, std::function<void(core::Event)> queue)
    : keeper_(keeper),
      set_(std::move(set)),
      instance_(std::move(instance)),
      inherited_(inherited),
      queue_(std::move(queue)) {}

void Executor::spawn(const core::Spawn& spawn) {
  const auto plan =
      spawn_plan((*set_)[spawn.unit], spawn.attempt, instance_, identities_, inherited_);
  if (plan) return keeper_.spawn(*plan);
  queue_(core::SpawnFailed{spawn.unit, spawn.attempt, plan.error().system_error,
                           plan.error().message});
}

void Executor::kill(const core::Kill& kill) {
  keeper_.kill(kill.attempt, kill.signal, kill.group, kill.with_continue);
}

void Executor::acknowledge(const core::Acknowledge& end) {
  keeper_.acknowledge(end.attempt);
}

void Executor::turn_ended() {
  keeper_.flush();
  identities_.clear();
}

}  // namespace foster::manager
