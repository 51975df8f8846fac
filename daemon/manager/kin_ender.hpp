// Ends what a forking unit's command has left where nobody could say which process the daemon is.
// These are nobody's main processes, so the keeper is no help: each is signalled by a pidfd, which
// is opened before it is looked at and so can mean no other, and its end is waited for by the same.
// Only children of the keeper are looked at; what such a one leaves becomes the keeper's child when
// it ends, and then has its turn.
#pragma once

#include <functional>
#include <memory>
#include <unordered_map>
#include <vector>

#include <systemd/sd-event.h>

#include "common/ids.hpp"
#include "common/ipc/unique_fd.hpp"
#include "daemon/core/action.hpp"
#include "daemon/core/event.hpp"
#include "daemon/manager/process_tree.hpp"

namespace foster::manager {

class KinEnder {
 public:
  struct Surroundings {
    int32_t keeper = 0;  // its pid
    std::function<void(core::Event)> queue;
    /// Whether this process has for certain been left by the command of the attempt.
    std::function<bool(UnitIndex, Attempt, const ProcessFacts&)> is_kin;
  };
  explicit KinEnder(Surroundings surroundings);
  ~KinEnder();
  KinEnder(const KinEnder&) = delete;
  KinEnder& operator=(const KinEnder&) = delete;

  void attach(sd_event* loop) { loop_ = loop; }

  void end(const core::EndKin& asked);

 private:
  struct Process;
  struct Task;

  static int process_ended(sd_event_source* source, int fd, uint32_t events, void* process);
  /// Signals those that have not been yet; the answer, when there is nobody any more.
  void look(Task& task);
  void take(Task& task, int32_t pid);
  [[nodiscard]] bool send(const Task& task, const Process& process) const;

  Surroundings around_;
  sd_event* loop_ = nullptr;
  std::unordered_map<uint64_t, std::unique_ptr<Task>> tasks_;  // by attempt
};

}  // namespace foster::manager
