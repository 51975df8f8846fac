// Mistakes against TOML itself. The TOML library stops at the first and words it for those who know
// its grammar; here it is put into words for someone who writes a unit, and it is found out how
// much of the text has to be left out so that the rest can be read and judged as well.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "common/unit/source_text.hpp"

namespace foster {

/// Values nested deeper than this are refused, and keys with more dots.
inline constexpr int kTomlNestingMax = 32;
inline constexpr int kTomlDotsMax = 16;

/// As the TOML library tells it: "Error while parsing string: encountered end-of-file".
struct SyntaxMistake {
  Place place;
  std::string description;
};

struct ExplainedMistake {
  Place place;
  std::string message;
  size_t begin = 0;  // what to leave out, whole lines
  size_t end = 0;
};

[[nodiscard]] ExplainedMistake explain_syntax(std::string_view text, const SyntaxMistake& mistake);

/// Where a key has so many dots that the library's recursion on them might exhaust the stack.
[[nodiscard]] std::optional<Place> find_deep_key(std::string_view text);

}  // namespace foster
