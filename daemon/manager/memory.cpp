#include "daemon/manager/memory.hpp"

#include <algorithm>
#include <utility>

#include "daemon/manager/process_tree.hpp"

namespace foster::manager {
namespace {

/// A service that forks while it is counted does not hold the count up for ever.
constexpr size_t kProcessesMax = 10'000;

}  // namespace

MemoryMeter::MemoryMeter(int32_t keeper, std::function<std::vector<int32_t>()> known_pids)
    : keeper_(keeper), known_pids_(std::move(known_pids)) {}

uint64_t MemoryMeter::measure(int32_t main_pid) {
  const auto main = process_facts(main_pid);
  if (!main) return 0;
  look_up_orphans();
  std::vector<int32_t> found{main_pid};
  for (const Orphan& orphan : *orphans_)
    if (orphan.group == main->group) found.push_back(orphan.pid);
  uint64_t own = 0;
  uint64_t shared = 0;
  for (size_t at = 0; at < found.size() && found.size() < kProcessesMax; ++at) {
    if (const auto memory = resident_memory(found[at])) {
      own += memory->own;
      shared = std::max(shared, memory->shared);
    }
    for (const int32_t child : children_of(found[at]))
      found.push_back(child);
  }
  return own + shared;
}

void MemoryMeter::look_up_orphans() {
  if (orphans_) return;
  orphans_.emplace();
  const std::vector<int32_t> known = known_pids_();
  for (const int32_t pid : children_of(keeper_)) {
    if (std::ranges::binary_search(known, pid)) continue;
    if (const auto facts = process_facts(pid)) orphans_->push_back({pid, facts->group});
  }
}

}  // namespace foster::manager
