// What the manager hears and sees of units beside the keeper's news: their messages, their
// readiness, the main process that a forking one leaves, how much memory they use, whether their
// conditions are met. All of it becomes events.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include <systemd/sd-event.h>

#include "common/result.hpp"
#include "daemon/core/action.hpp"
#include "daemon/core/event.hpp"
#include "daemon/core/supervisor.hpp"
#include "daemon/manager/keeper_client.hpp"
#include "daemon/manager/kin_ender.hpp"
#include "daemon/manager/main_finder.hpp"
#include "daemon/manager/memory.hpp"
#include "daemon/manager/notify_socket.hpp"
#include "daemon/manager/readiness.hpp"
#include "daemon/manager/spawn_extras.hpp"

namespace foster::manager {

class Lookout {
 public:
  struct Surroundings {
    std::string runtime_dir;
    std::string instance;                    // as FOSTER_INSTANCE tells the services
    std::string tap;                         // the path of foster-tap
    int32_t keeper = 0;                      // its pid
    const char* const* inherited = nullptr;  // the daemon's environment
    NotifySockets::Keep keep;                // what services store by $NOTIFY_SOCKET
  };
  Lookout(KeeperClient& keeper, const core::Supervisor& core, const Surroundings& surroundings,
          std::function<void(core::Event)> queue);

  /// `kept`: what a former manager left with the keeper.
  Result<void> attach(sd_event* loop, std::vector<HandedDescriptor>& kept);
  /// Once the core has recovered: goes on with what a former manager was waiting for.
  void resume();

  /// What a process needs to be heard and seen; it is listened to from now on. Numbers that
  /// `extras` has given out already stay as they are.
  Result<void> add_to(SpawnExtras& extras, const core::Spawn& spawn);
  void spawned(UnitIndex unit, Attempt attempt, int32_t pid);
  /// The news of this end is about to be queued.
  void ended(UnitIndex unit, Attempt attempt, int32_t pid);
  void adopted(const core::Adopt& adopt);
  void acknowledged(Attempt attempt);

  void find_main(const core::FindMain& asked);
  void end_kin(const core::EndKin& asked);
  void check(const core::CheckConditions& asked);
  void measure(const core::MeasureMemory& asked);

  /// All that was queued has been handled and published.
  void turn_ended();
  /// At the daemon's end.
  void remove();

 private:
  [[nodiscard]] std::vector<int32_t> known_pids() const;

  const core::Supervisor& core_;
  std::string runtime_dir_;
  std::string tap_;
  const char* const* inherited_;
  std::function<void(core::Event)> queue_;
  NotifySockets notify_;
  Readiness readiness_;
  MainFinder finder_;
  KinEnder kin_ender_;
  MemoryMeter memory_;
};

}  // namespace foster::manager
