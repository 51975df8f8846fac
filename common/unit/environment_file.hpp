// The text of a file of environment variables, as `environment-files` names them:
//
//     # a comment; so is a line that begins with ';'
//     NAME=value up to the end of the line, blanks at its ends dropped
//     NAME='as it stands, $ and \ too'
//     NAME="with \" \\ \$ \` \n \t escaped"
//     export NAME=value        the word is tolerated, so that a shell can read the file as well
//
// Quoted parts may go over several lines. Nothing is expanded.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "common/unit/diagnostic.hpp"

namespace foster {

struct EnvironmentFileContent {
  std::vector<std::pair<std::string, std::string>> variables;  // in the file's order
  std::vector<Diagnostic> diagnostics;                         // any makes the file unusable
};

[[nodiscard]] EnvironmentFileContent parse_environment_file(const std::string& path,
                                                            std::string_view text);

}  // namespace foster
