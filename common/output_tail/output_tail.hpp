// Making and reading the file in which the last output of a service is kept (output_tail.h).
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "common/ipc/unique_fd.hpp"
#include "common/output_tail/output_tail.h"
#include "common/result.hpp"

namespace foster {

/// "<runtime directory>/output/<unit>".
[[nodiscard]] std::string output_tail_path(std::string_view runtime_directory,
                                           std::string_view unit);

/// The file for foster-tap, made with its directory when it is not there: mode 0600, because what a
/// service writes is nobody else's business.
[[nodiscard]] Result<UniqueFd> open_output_tail(std::string_view runtime_directory,
                                                std::string_view unit);

/// The last whole lines, at most `most`, oldest first; a last line without its newline counts.
/// Nothing when there is no such file or it may not be read.
[[nodiscard]] std::vector<std::string> last_output_lines(std::string_view runtime_directory,
                                                         std::string_view unit, size_t most);

/// Removes all files and their directory. What cannot be removed stays.
void remove_output_tails(std::string_view runtime_directory);

}  // namespace foster
