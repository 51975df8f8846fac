// Where the unit files are that a command is about.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "ctl/arguments.hpp"
#include "ctl/session.hpp"

namespace foster::ctl {

/// As --units says; otherwise as the running daemon was told on its command line; otherwise where
/// one looks that is told nothing.
[[nodiscard]] std::vector<std::string> unit_paths(const Session& session,
                                                  const Arguments& arguments);

/// The values of --units in a command line whose words end in NUL each, the first word being the
/// program. Relative ones are taken from `directory`.
[[nodiscard]] std::vector<std::string> units_of_command_line(std::string_view command_line,
                                                             const std::string& directory);

}  // namespace foster::ctl
