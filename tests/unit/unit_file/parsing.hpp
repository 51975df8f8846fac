// What the tests of unit files share: one text in, the unit or the complaints out.
#pragma once

#include <gtest/gtest.h>
#include <string>

#include "common/unit/unit_parser.hpp"

namespace foster::testing {

/// Everything that is said about the text as "web.toml", as a person sees it. Empty when it is
/// right.
inline std::string complaints(const std::string& text, const std::string& path = "web.toml") {
  std::string all;
  for (const Diagnostic& diagnostic : parse_unit({path, text}).diagnostics)
    all += render(diagnostic);
  return all;
}

/// A text of which long lines are written as several: a backslash at a line's end joins it to the
/// next.
inline std::string folded(std::string text) {
  for (size_t at = text.find("\\\n"); at != std::string::npos; at = text.find("\\\n", at))
    text.erase(at, 2);
  return text;
}

/// The unit of a text that must be right.
inline UnitSpec unit_from(const std::string& text) {
  ParsedUnit parsed = parse_unit({"/units/web.toml", text});
  EXPECT_EQ(complaints(text), "");
  return parsed.spec.value_or(UnitSpec{});
}

/// A [service] section with a command, then the text.
inline std::string with_command(const std::string& text) {
  return "[service]\ncommand = [\"/bin/x\"]\n" + text;
}

}  // namespace foster::testing
