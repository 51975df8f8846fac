// Which process is the daemon that a forking unit's command has left behind? What the unit's pid
// file says, once it says it, and otherwise a guess: the one process of the unit that is the
// keeper's child now. A process can become a main one only as the keeper's child, so a number
// whose process still has its parent waits for that parent's end.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include <systemd/sd-event.h>

#include "common/ids.hpp"
#include "common/ipc/unique_fd.hpp"
#include "daemon/core/action.hpp"
#include "daemon/core/event.hpp"
#include "daemon/core/supervisor.hpp"
#include "daemon/manager/path_watch.hpp"
#include "daemon/manager/process_tree.hpp"

namespace foster::manager {

class MainFinder {
 public:
  struct Surroundings {
    int32_t keeper = 0;    // its pid
    std::string instance;  // as FOSTER_INSTANCE tells the services
    std::function<void(core::Event)> queue;
    /// Of all processes that belong to an attempt, ascending.
    std::function<std::vector<int32_t>()> known_pids;
  };
  MainFinder(const core::Supervisor& core, Surroundings surroundings);
  ~MainFinder();
  MainFinder(const MainFinder&) = delete;
  MainFinder& operator=(const MainFinder&) = delete;

  void attach(sd_event* loop) { loop_ = loop; }

  /// A forking unit's command runs. It leads a session, by which what it leaves is known.
  void spawned(Attempt attempt, int32_t pid);
  void find(const core::FindMain& asked);
  /// Whether this process, a child of the keeper, has for certain been left by that command.
  [[nodiscard]] bool is_kin(UnitIndex unit, Attempt attempt, const ProcessFacts& process) const;
  /// The attempt of the command is over, or its daemon has been adopted.
  void forget(Attempt attempt);

 private:
  struct Search;

  static int parent_ended(sd_event_source* source, int fd, uint32_t events, void* search);
  void guess(const core::FindMain& asked);
  Result<void> wait_for_file(const core::FindMain& asked);
  void read_file(Search& search);
  void consider(Search& search, int32_t pid);
  void wait_for_parent(Search& search, int32_t parent);
  void found(const core::FindMain& asked, int32_t pid);
  void not_found(const core::FindMain& asked, std::string message);
  /// Whether a process is of the attempt that is asked for: as far as can be told, or for certain.
  enum class Kin : uint8_t { none, likely, certain };
  [[nodiscard]] Kin kin(const core::FindMain& asked, ProcessFacts process) const;
  [[nodiscard]] Kin kin_by_descent(const core::FindMain& asked, const ProcessFacts& process) const;

  const core::Supervisor& core_;
  Surroundings around_;
  sd_event* loop_ = nullptr;
  std::unordered_map<uint64_t, std::unique_ptr<Search>> searches_;  // by attempt
  std::unordered_map<uint64_t, int32_t> commands_;                  // by attempt: the pid
  std::unordered_map<int32_t, uint64_t> sessions_;                  // by that pid: the attempt
};

}  // namespace foster::manager
