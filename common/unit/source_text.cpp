#include "common/unit/source_text.hpp"

#include <algorithm>
#include <cstring>

#include "common/unit/unit_parser.hpp"

namespace foster {
namespace {

uint8_t byte_at(std::string_view text, size_t i) {
  return static_cast<uint8_t>(text[i]);
}

/// How long a character that begins with this byte is, and the least code point that needs so many.
struct Lead {
  size_t length;
  uint32_t bits;
  uint32_t least;
};

Lead lead_of(uint8_t first) {
  if (first < 0x80) return {1, first, 0};
  if (first >= 0xc2 && first < 0xe0) return {2, first & 0x1fU, 0x80};
  if (first >= 0xe0 && first < 0xf0) return {3, first & 0x0fU, 0x800};
  if (first >= 0xf0 && first < 0xf5) return {4, first & 0x07U, 0x10000};
  return {0, 0, 0};
}

/// Offset of the first byte that is no part of valid UTF-8 and no NUL; text.size() when all is
/// well.
size_t first_bad_byte(std::string_view text) {
  size_t at = 0;
  while (at < text.size()) {
    uint64_t word = 0;
    if (at + sizeof word <= text.size()) {
      // Eight bytes of plain ASCII without a NUL at once: nearly all of nearly every unit file.
      std::memcpy(&word, text.data() + at, sizeof word);
      const uint64_t zero = (word - 0x0101010101010101U) & ~word & 0x8080808080808080U;
      if ((word & 0x8080808080808080U) == 0 && zero == 0) {
        at += sizeof word;
        continue;
      }
    }
    const size_t length = utf8_length(text.substr(at));
    if (length == 0 || text[at] == '\0') return at;
    at += length;
  }
  return at;
}

std::string hex_byte(uint8_t byte) {
  constexpr char kDigits[] = "0123456789abcdef";
  return {'0', 'x', kDigits[byte >> 4], kDigits[byte & 15]};
}

Diagnostic without_place(std::string_view path, std::string message) {
  Diagnostic diagnostic;
  diagnostic.file = path;
  diagnostic.message = std::move(message);
  return diagnostic;
}

}  // namespace

size_t utf8_length(std::string_view text) {
  if (text.empty()) return 0;
  const Lead lead = lead_of(byte_at(text, 0));
  if (lead.length > text.size()) return 0;
  uint32_t code = lead.bits;
  for (size_t i = 1; i < lead.length; ++i) {
    if ((byte_at(text, i) & 0xc0) != 0x80) return 0;
    code = code << 6 | (byte_at(text, i) & 0x3fU);
  }
  const bool surrogate = code >= 0xd800 && code < 0xe000;
  return code < lead.least || surrogate || code > 0x10ffff ? 0 : lead.length;
}

uint32_t count_characters(std::string_view text) {
  uint32_t count = 0;
  for (size_t at = 0; at < text.size(); ++count) {
    at += std::max<size_t>(1, utf8_length(text.substr(at)));
  }
  return count;
}

std::string_view line_of(std::string_view text, uint32_t line) {
  if (line == 0) return {};
  for (; line > 1; --line) {
    const size_t end = text.find('\n');
    if (end == std::string_view::npos) return {};
    text.remove_prefix(end + 1);
  }
  text = text.substr(0, text.find('\n'));
  if (text.ends_with('\r')) text.remove_suffix(1);
  return text;
}

Place place_of(std::string_view text, size_t offset) {
  const std::string_view before = text.substr(0, offset);
  const size_t newline = before.rfind('\n');
  const std::string_view in_line =
      newline == std::string_view::npos ? before : before.substr(newline + 1);
  const auto line = static_cast<uint32_t>(std::ranges::count(before, '\n') + 1);
  return {line, count_characters(in_line) + 1, 1};
}

size_t offset_of(std::string_view text, Place place) {
  size_t at = 0;
  for (uint32_t line = 1; line < place.line; ++line) {
    const size_t end = text.find('\n', at);
    if (end == std::string_view::npos) return text.size();
    at = end + 1;
  }
  for (uint32_t column = 1; column < place.column && at < text.size(); ++column) {
    at += std::max<size_t>(1, utf8_length(text.substr(at)));
  }
  return at;
}

Diagnostic diagnostic_at(std::string_view path, std::string_view text, Place place,
                         std::string message) {
  Diagnostic diagnostic = without_place(path, std::move(message));
  diagnostic.line = place.line;
  diagnostic.column = place.column;
  diagnostic.length = std::max<uint32_t>(1, place.length);
  diagnostic.source_line = line_of(text, place.line);
  return diagnostic;
}

std::vector<Diagnostic> check_encoding(std::string_view path, std::string_view text) {
  const auto nowhere = [&](std::string message) {
    return std::vector{without_place(path, std::move(message))};
  };
  if (text.empty())
    return nowhere("the file is empty: a unit needs at least a [service] section with a `command`");
  if (text.size() > kUnitFileMax) return nowhere("the file is longer than 1 MiB: no unit file is");
  if (text.starts_with("\xff\xfe") || text.starts_with("\xfe\xff"))
    return nowhere("the file is UTF-16; save it as UTF-8");
  if (text.starts_with("\xef\xbb\xbf"))
    return nowhere("the file begins with a byte-order mark; save it as UTF-8 without one");
  const size_t bad = first_bad_byte(text);
  if (bad == text.size()) return {};
  std::string message = text[bad] == '\0' ? "a NUL byte: this is not a text file"
                                          : "not UTF-8 text: the byte " +
                                                hex_byte(byte_at(text, bad)) + " cannot stand here";
  return {diagnostic_at(path, text, place_of(text, bad), std::move(message))};
}

}  // namespace foster
