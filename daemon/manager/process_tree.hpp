// Processes as /proc shows them (proc(5)): whose child, of which group, started with what
// environment. Everything here may be gone by the time the answer is read; only the keeper, which
// reaps, can hold a process still.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <sys/types.h>
#include <vector>

#include "common/instant.hpp"

namespace foster::manager {

struct ProcessFacts {
  int32_t pid = 0;
  std::string name;  // at most 15 bytes of it
  char state = '?';
  int32_t parent = 0;
  int32_t group = 0;
  int32_t session = 0;
  Instant started;  // to the clock tick

  [[nodiscard]] bool alive() const { return state != 'Z' && state != 'X' && state != 'x'; }
};

/// Nothing when there is no such process.
[[nodiscard]] std::optional<ProcessFacts> process_facts(int32_t pid);

/// Whose credentials it has; root's where it may not be looked into. Nothing when it is gone.
[[nodiscard]] std::optional<uid_t> owner_of(int32_t pid);

/// The text of /proc/<pid>/stat. The name in it is the program's own choice and may hold blanks and
/// parentheses.
[[nodiscard]] std::optional<ProcessFacts> parse_process_facts(std::string_view text);

/// Children of all threads of the process, zombies too.
[[nodiscard]] std::vector<int32_t> children_of(int32_t pid);

/// The environment that a process was started with, as it was at one moment: a process that is just
/// being executed has none, so two questions want one look. Empty, too, where the process is gone
/// or another user's, or has written over its environment, as those do that set their title.
class InitialEnvironment {
 public:
  explicit InitialEnvironment(int32_t pid);
  [[nodiscard]] std::optional<std::string> value(std::string_view name) const;
  [[nodiscard]] bool empty() const { return text_.empty(); }

 private:
  std::string text_;
};

/// Of a process whose environment was found empty: whether another look may find one. For a moment
/// of its execve(2) a process has a program, and neither arguments nor environment.
[[nodiscard]] bool may_be_executing(int32_t pid);

/// Resident memory in bytes: its own, and what it may share with others (files, shared memory).
struct ResidentMemory {
  uint64_t own = 0;
  uint64_t shared = 0;
};
[[nodiscard]] std::optional<ResidentMemory> resident_memory(int32_t pid);

}  // namespace foster::manager
