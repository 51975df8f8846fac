// How much memory a unit uses: what its processes have resident and share with nobody, and the
// largest part that one of them may share. (The plain sum of what is resident would count what a
// server's workers share once for each of them; the exact share, Pss, costs the kernel a walk
// through all page tables.)
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <vector>

namespace foster::manager {

class MemoryMeter {
 public:
  /// `keeper`: its pid. `known_pids`: of all processes that belong to an attempt, ascending.
  MemoryMeter(int32_t keeper, std::function<std::vector<int32_t>()> known_pids);

  /// Bytes of the process group that `main_pid` is in: `main_pid` and those that descend from it,
  /// and orphans of the group, which are the keeper's children.
  [[nodiscard]] uint64_t measure(int32_t main_pid);

  /// Orphans are looked up once a turn.
  void turn_ended() { orphans_.reset(); }

 private:
  struct Orphan {
    int32_t pid;
    int32_t group;
  };
  void look_up_orphans();

  int32_t keeper_;
  std::function<std::vector<int32_t>()> known_pids_;
  std::optional<std::vector<Orphan>> orphans_;
};

}  // namespace foster::manager
