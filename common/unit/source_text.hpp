// A file's text with places in it: lines and columns counted in characters, and the checks that
// come before any reading of it as TOML.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "common/unit/diagnostic.hpp"

namespace foster {

/// Where something stands in a text. Line and column count from 1; line 0 means "nowhere in
/// particular".
struct Place {
  uint32_t line = 0;
  uint32_t column = 0;
  uint32_t length = 1;  // characters, within the line
  uint32_t file = 0;    // which of the texts that a unit is made of: 0 its file, then its drop-ins
};

/// The bytes of one UTF-8 character at the front of `text`; 0 when they are none (or at the end).
[[nodiscard]] size_t utf8_length(std::string_view text);

/// Characters of valid UTF-8; a byte that is not part of any counts as one.
[[nodiscard]] uint32_t count_characters(std::string_view text);

/// The text's line with that number (from 1) without its newline; empty when there is none.
[[nodiscard]] std::string_view line_of(std::string_view text, uint32_t line);

/// Where the byte at `offset` stands.
[[nodiscard]] Place place_of(std::string_view text, size_t offset);

/// The offset of a place; text.size() when it lies outside.
[[nodiscard]] size_t offset_of(std::string_view text, Place place);

[[nodiscard]] Diagnostic diagnostic_at(std::string_view path, std::string_view text, Place place,
                                       std::string message);

/// Why the text cannot be a unit file whatever it says: too long, empty, UTF-16, a byte-order mark,
/// NUL bytes, not UTF-8. Empty when none of these.
[[nodiscard]] std::vector<Diagnostic> check_encoding(std::string_view path, std::string_view text);

}  // namespace foster
