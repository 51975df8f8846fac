// Performs the core's actions that are the keeper's to carry out: the kernel's side of what the
// simulator models. What fails comes back as an event.
#pragma once

#include <functional>

#include "common/result.hpp"
#include "daemon/core/action.hpp"
#include "daemon/core/event.hpp"
#include "daemon/core/supervisor.hpp"
#include "daemon/manager/environment.hpp"
#include "daemon/manager/identity.hpp"
#include "daemon/manager/keeper_client.hpp"
#include "daemon/manager/spawn_extras.hpp"

namespace foster::manager {

class Executor {
 public:
  using Extras = std::function<Result<SpawnExtras>(const core::Spawn&)>;
  using Queue = std::function<void(core::Event)>;

  /// `extras` gives what a process gets of those that listen to it; `queue` takes the events that
  /// come of it all.
  Executor(KeeperClient& keeper, const core::Supervisor& core, DaemonFacts daemon, Extras extras,
           Queue queue);

  void spawn(const core::Spawn& spawn);
  void adopt(const core::Adopt& adopt);
  void kill(const core::Kill& kill);
  void acknowledge(const core::Acknowledge& end);
  /// Sends what has been gathered, and forgets what was looked up for this turn only.
  void turn_ended();

 private:
  Result<void> try_spawn(const core::Spawn& spawn);

  KeeperClient& keeper_;
  const core::Supervisor& core_;
  DaemonFacts daemon_;
  Extras extras_;
  Queue queue_;
  IdentityCache identities_;
};

}  // namespace foster::manager
