#include "common/unit/diagnostic.hpp"

#include <algorithm>
#include <string_view>

#include "common/unit/source_text.hpp"

namespace foster {
namespace {

// A longer line is shown in part, so that a caret stays near its place on any terminal.
constexpr uint32_t kShownCharacters = 160;
constexpr uint32_t kShownBefore = 60;

constexpr size_t kRepeatedMax = 60;  // bytes of a name or value that a message repeats

/// One character as it can be shown: whatever a terminal might act upon becomes '?'.
std::string_view printable(std::string_view character) {
  const auto first = static_cast<uint8_t>(character[0]);
  const bool control = first < 0x20 || first == 0x7f;
  // U+0080 to U+009f are control characters as well.
  const bool high_control = first == 0xc2 && static_cast<uint8_t>(character[1]) < 0xa0;
  return control || high_control ? "?" : character;
}

std::string printable_text(std::string_view text) {
  std::string shown;
  for (size_t at = 0; at < text.size();) {
    const size_t valid = utf8_length(text.substr(at));
    const std::string_view character = text.substr(at, std::max<size_t>(1, valid));
    shown += valid == 0 ? "?" : printable(character);
    at += character.size();
  }
  return shown;
}

/// The part of the quoted line that is shown, and what stands under it up to the caret.
struct Quoted {
  std::string line;
  std::string indent;
  uint32_t room = 0;  // characters from the place to the end of what is shown
};

Quoted quote(const Diagnostic& diagnostic) {
  Quoted quoted;
  const std::string_view text = diagnostic.source_line;
  const uint32_t place = diagnostic.column - 1;
  const uint32_t first = place > kShownCharacters - kShownBefore ? place - kShownBefore : 0;
  uint32_t index = 0;
  for (size_t at = 0; at < text.size() && index < first + kShownCharacters; ++index) {
    const size_t valid = utf8_length(text.substr(at));
    const std::string_view character = text.substr(at, std::max<size_t>(1, valid));
    at += character.size();
    if (index < first) continue;
    const bool tab = character == "\t";
    quoted.line += valid == 0 ? "?" : tab ? character : printable(character);
    if (index < place) quoted.indent += tab ? '\t' : ' ';
    if (index >= place) ++quoted.room;
  }
  // A place behind the end of the line: what is missing is missing there.
  for (; index < place; ++index)
    quoted.indent += ' ';
  return quoted;
}

}  // namespace

std::string render(const Diagnostic& diagnostic) {
  std::string text = printable_text(diagnostic.file);
  if (diagnostic.line > 0) {
    text += ':' + std::to_string(diagnostic.line) + ':' + std::to_string(diagnostic.column);
  }
  text += ": " + printable_text(diagnostic.message) + "\n";
  if (diagnostic.line == 0 || diagnostic.column == 0 || diagnostic.source_line.empty()) return text;
  const Quoted quoted = quote(diagnostic);
  const uint32_t carets = std::min(diagnostic.length, std::max<uint32_t>(1, quoted.room));
  text += "    " + quoted.line + "\n    " + quoted.indent + std::string(carets, '^') + "\n";
  return text;
}

std::string shortened_text(std::string_view text) {
  if (text.size() <= kRepeatedMax) return printable_text(text);
  size_t end = 0;
  // Half a character at the cut would be no UTF-8 any more.
  for (size_t next = 0; next <= kRepeatedMax;) {
    end = next;
    next += std::max<size_t>(1, utf8_length(text.substr(next)));
  }
  return printable_text(text.substr(0, end)) + "...";
}

std::string quoted_text(std::string_view text) {
  return '"' + shortened_text(text) + '"';
}

std::string backticked_text(std::string_view text) {
  return '`' + shortened_text(text) + '`';
}

}  // namespace foster
