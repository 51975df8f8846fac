#include "ctl/printable.hpp"

#include <algorithm>
#include <cstdint>

namespace foster::ctl {
namespace {

constexpr std::string_view kEllipsis = "\xe2\x80\xa6";

bool continuation(char byte) {
  return (static_cast<unsigned char>(byte) & 0xc0) == 0x80;
}

size_t announced_length(unsigned char lead) {
  if (lead < 0x80) return 1;
  if (lead >= 0xc2 && lead < 0xe0) return 2;
  if (lead >= 0xe0 && lead < 0xf0) return 3;
  if (lead >= 0xf0 && lead < 0xf5) return 4;
  return 0;
}

/// The length of the well-formed character that `text` begins with, and the character; 0 when there
/// is none.
size_t decode(std::string_view text, uint32_t& character) {
  const auto lead = static_cast<unsigned char>(text.front());
  const size_t length = announced_length(lead);
  if (length == 0 || length > text.size()) return 0;
  static constexpr uint32_t kLeadBits[] = {0, 0x7f, 0x1f, 0x0f, 0x07};
  static constexpr uint32_t kSmallest[] = {0, 0, 0x80, 0x800, 0x10000};
  character = lead & kLeadBits[length];
  for (size_t i = 1; i < length; ++i) {
    if (!continuation(text[i])) return 0;
    character = character << 6 | (static_cast<unsigned char>(text[i]) & 0x3f);
  }
  const bool surrogate = character >= 0xd800 && character <= 0xdfff;
  return character < kSmallest[length] || surrogate || character > 0x10ffff ? 0 : length;
}

bool plain(char byte) {
  return byte >= 0x20 && byte < 0x7f;
}

/// The C0 and C1 controls, and those that turn the direction of writing round.
bool harmful(uint32_t character) {
  return character < 0x20 || (character >= 0x7f && character < 0xa0) ||
         (character >= 0x2028 && character <= 0x202e) ||
         (character >= 0x2066 && character <= 0x2069) || character == 0x200e ||
         character == 0x200f || character == 0xfeff;
}

}  // namespace

std::string printable(std::string_view text) {
  if (std::ranges::all_of(text, plain)) return std::string(text);
  std::string shown;
  shown.reserve(text.size());
  while (!text.empty()) {
    uint32_t character = 0;
    const size_t length = decode(text, character);
    if (length == 0 || harmful(character)) {
      shown += '?';
    } else {
      shown += text.substr(0, length);
    }
    text.remove_prefix(length == 0 ? 1 : length);
  }
  return shown;
}

size_t display_width(std::string_view text) {
  size_t width = 0;
  for (const char byte : text)
    width += continuation(byte) ? 0 : 1;
  return width;
}

std::string shortened(std::string_view text, size_t width) {
  if (display_width(text) <= width) return std::string(text);
  if (width == 0) return {};
  size_t end = 0;
  for (size_t characters = 0; end < text.size(); ++end) {
    if (continuation(text[end])) continue;
    if (++characters == width) break;
  }
  return std::string(text.substr(0, end)) + std::string(kEllipsis);
}

}  // namespace foster::ctl
