// `${NAME}` in a unit's command, without a shell: `${NAME}` becomes the variable's value, `$$`
// becomes
// `$`, any other `$` stays as it is. What a value contains is not expanded again and not split: one
// string of the command stays one argument.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "common/result.hpp"

namespace foster {

/// Variables with their values. Of several with one name the last counts.
using Variables = std::span<const std::pair<std::string, std::string>>;

/// Why a text could not be expanded.
struct ExpansionMistake {
  size_t offset = 0;  // of its `${` in the text, in bytes
  size_t length = 0;  // of what is wrong, in bytes
  std::string message;
};

/// What is wrong with the text whatever the variables: an unterminated `${`, a name that is none.
/// All such mistakes.
[[nodiscard]] std::vector<ExpansionMistake> check_expansion(std::string_view text);

/// A letter or `_`, then letters, digits and `_`: what can stand between `${` and `}`.
[[nodiscard]] bool valid_variable_name(std::string_view name);

/// "cannot expand `${NAME}`: the environment has no such variable".
[[nodiscard]] Result<std::string> expand(std::string_view text, Variables variables);

/// Each string of a command.
[[nodiscard]] Result<std::vector<std::string>> expand_command(
    const std::vector<std::string>& command, Variables variables);

}  // namespace foster
