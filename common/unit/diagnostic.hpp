// A mistake in a unit file, with its place.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace foster {

struct Diagnostic {
  std::string file;
  uint32_t line = 0;    // from 1; 0 when the mistake has no place in the text (a file not readable)
  uint32_t column = 0;  // from 1, counted in characters, not bytes
  uint32_t length = 1;  // characters the caret line underlines
  std::string message;  // what is wrong and, where known, what would be right
  std::string source_line;  // the line itself, without its newline; empty when there is none
};

/// "file:line:column: message", then the line and a caret under the place. Ends with a newline.
/// Control characters in the quoted line are shown as '?', tabs keep the caret in its place.
[[nodiscard]] std::string render(const Diagnostic& diagnostic);

/// A name or value from a file, for a message: what cannot be printed is shown as '?', what is long
/// is cut. As it is, in double quotes, in backticks.
[[nodiscard]] std::string shortened_text(std::string_view text);
[[nodiscard]] std::string quoted_text(std::string_view text);
[[nodiscard]] std::string backticked_text(std::string_view text);

}  // namespace foster
