// The one table of fosterctl's verbs: name, summary, options, and the function that does it.
// Command line, help and error texts come from it.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "ctl/arguments.hpp"
#include "ctl/environment.hpp"
#include "ctl/exit_code.hpp"

namespace CLI {
class App;
}

namespace foster::ctl {

class Session;
struct OptionTexts;

struct Command {
  std::string_view group;
  std::string_view name;
  std::string_view summary;
  std::string_view operands;  // as in the usage line: "NAME..."
  void (*declare)(CLI::App& app, Arguments& arguments, OptionTexts& texts);
  ExitCode (*run)(Session& session, const Arguments& arguments);
};

[[nodiscard]] std::span<const Command> command_table();

/// A command line as it was understood: a command to run, or a text to show and to end with.
struct CommandLine {
  const Command* command = nullptr;
  Arguments arguments;
  std::string text;
  ExitCode code = ExitCode::done;  // `usage`: the text goes to stderr
};

/// `words` is argv without the program's name. Only the options of the verb that it names are
/// built.
[[nodiscard]] CommandLine parse_command_line(const std::vector<std::string>& words,
                                             const Environment& environment);

}  // namespace foster::ctl
