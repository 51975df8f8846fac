// fosterd's command line. The keeper hands it to the manager unread, so it is parsed here.
#pragma once

#include <optional>
#include <string>
#include <variant>
#include <vector>

namespace foster::manager {

struct Options {
  std::vector<std::string> unit_paths;     // --units; empty: the standard directories
  std::vector<std::string> start;          // --start; empty: whatever is enabled
  std::string instance;                    // --instance or $FOSTER_INSTANCE; empty: the default one
  std::optional<std::string> runtime_dir;  // --runtime-dir
  std::optional<std::string> state_dir;    // --state-dir
  std::vector<std::string> command;        // after "--"; empty: none
};

/// The program is to end at once: what --help, --version and a wrong command line come to.
struct EndNow {
  int exit_code = 0;
  std::string text;
};

/// `arguments` is argv whole.
[[nodiscard]] std::variant<Options, EndNow> parse_options(
    const std::vector<std::string>& arguments);

}  // namespace foster::manager
