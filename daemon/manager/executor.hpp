// Performs the core's actions against the real world: the kernel's side of what the simulator
// models. What fails comes back as an event.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "common/unit/unit_set.hpp"
#include "daemon/core/action.hpp"
#include "daemon/core/event.hpp"
#include "daemon/manager/identity.hpp"
#include "daemon/manager/keeper_client.hpp"

namespace foster::manager {

class Executor {
 public:
  /// `queue` takes the events that come of it. `inherited` is the daemon's environment.
  Executor(KeeperClient& keeper, std::shared_ptr<const UnitSet> set, std::string instance,
           const char* const* inherited, std::function<void(core::Event)> queue);

  void spawn(const core::Spawn& spawn);
  void kill(const core::Kill& kill);
  void acknowledge(const core::Acknowledge& end);
  /// Sends what has been gathered, and forgets what was looked up for this turn only.
  void turn_ended();

 private:
  KeeperClient& keeper_;
  std::shared_ptr<const UnitSet> set_;
  std::string instance_;
  const char* const* inherited_;
  std::function<void(core::Event)> queue_;
  IdentityCache identities_;
};

}  // namespace foster::manager
