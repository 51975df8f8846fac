// What the tests of unit files share: one text in, the unit or the complaints out.
#pragma once

#include <gtest/gtest.h>
#include <memory>
#include <string>
#include <vector>

#include "common/unit/unit_parser.hpp"
#include "common/unit/unit_set.hpp"

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

/// Everything that is said about several files together.
inline std::string said_of(const CheckedSet& checked) {
  std::string all;
  for (const Diagnostic& diagnostic : checked.diagnostics)
    all += render(diagnostic);
  return all;
}

inline std::string said_of(const std::vector<SourceFile>& files, const SetOptions& options = {}) {
  return said_of(build_unit_set(files, {}, options));
}

/// The set of files that must be right.
inline std::shared_ptr<const UnitSet> set_of(const std::vector<SourceFile>& files,
                                             const SetOptions& options = {}) {
  CheckedSet checked = build_unit_set(files, {}, options);
  EXPECT_EQ(said_of(checked), "");
  return checked.set ? checked.set : std::make_shared<const UnitSet>(std::vector<UnitSpec>{});
}

/// A unit with a command and a [depends] section.
inline SourceFile unit_file(const std::string& name, const std::string& depends) {
  return {name + ".toml", with_command("[depends]\n" + depends)};
}

}  // namespace foster::testing
