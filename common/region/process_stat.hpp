// Who lives, from /proc: the state and the start time of a process, which together with its pid
// name it for good, and the id of this boot.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <sys/types.h>

namespace foster::region {

struct ProcessStat {
  char state = '?';          // R, S, D, Z, T, t, X, ...; see proc(5)
  uint64_t start_ticks = 0;  // field 22: clock ticks from boot to its start
};

/// The text of /proc/<pid>/stat. The name in it is the program's own choice: it may hold blanks and
/// parentheses, so the fields are counted from the last parenthesis.
[[nodiscard]] std::optional<ProcessStat> parse_process_stat(std::string_view text);

/// Nothing when there is no such process, or none that we may see.
[[nodiscard]] std::optional<ProcessStat> read_process_stat(pid_t pid);

/// Empty when the kernel does not tell.
[[nodiscard]] std::string read_boot_id();

}  // namespace foster::region
