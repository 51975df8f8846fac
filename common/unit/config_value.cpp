#include "common/unit/config_value.hpp"

#include <algorithm>

namespace foster {
namespace {

/// Walks a TOML string as it is written, a step for each piece that is understood as one.
class StringWalk {
 public:
  StringWalk(std::string_view text, size_t at) : text_(text), at_(at) {
    if (at_ >= text_.size()) return;
    basic_ = text_[at_] == '"';
    const std::string three(3, text_[at_]);
    const bool multi_line = text_.substr(at_).starts_with(three);
    at_ += multi_line ? 3 : 1;
    // A newline right behind the opening quotes is not part of the string.
    if (multi_line && at_ < text_.size() && text_[at_] == '\r') ++at_;
    if (multi_line && at_ < text_.size() && text_[at_] == '\n') ++at_;
  }

  [[nodiscard]] size_t at() const { return at_; }

  void forward_to(size_t decoded) {
    while (decoded_ < decoded && at_ < text_.size())
      step();
  }

  /// Passes what stands for nothing: a backslash at a line's end with the blanks that follow.
  void skip_line_end() {
    constexpr std::string_view kBlanks = " \t\r\n";
    while (basic_ && at_ + 1 < text_.size() && text_[at_] == '\\' &&
           kBlanks.contains(text_[at_ + 1])) {
      step();
    }
  }

 private:
  void step() {
    const std::string_view rest = text_.substr(at_);
    if (basic_ && rest[0] == '\\' && rest.size() > 1) return escape(rest);
    at_ += rest.starts_with("\r\n") ? 2 : 1;
    ++decoded_;
  }

  void escape(std::string_view rest) {
    if (rest[1] == 'u' || rest[1] == 'U') {
      const size_t digits = rest[1] == 'u' ? 4 : 8;
      const std::string hex(rest.substr(2, digits));
      const unsigned long code = std::strtoul(hex.c_str(), nullptr, 16);
      at_ += 2 + digits;
      decoded_ += code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
      return;
    }
    const size_t beyond = rest.find_first_not_of(" \t\r\n", 1);
    if (beyond == 1) {
      at_ += 2;
      ++decoded_;
      return;
    }
    // A backslash at a line's end drops everything up to the next character that is no blank.
    at_ = beyond == std::string_view::npos ? text_.size() : at_ + beyond;
  }

  std::string_view text_;
  size_t at_;
  size_t decoded_ = 0;
  bool basic_ = false;
};

}  // namespace

std::string_view kind_text(ValueKind kind) {
  switch (kind) {
    case ValueKind::text:
      return "a string";
    case ValueKind::integer:
      return "an integer";
    case ValueKind::decimal:
      return "a number with a decimal point";
    case ValueKind::boolean:
      return "a boolean";
    case ValueKind::moment:
      return "a date or time";
    case ValueKind::array:
      return "an array";
    case ValueKind::table:
      return "a table";
  }
  return "something else";
}

Place place_in_string(std::string_view text, Place value, size_t offset, size_t length) {
  StringWalk walk(text, offset_of(text, value));
  walk.forward_to(offset);
  walk.skip_line_end();
  Place place = place_of(text, walk.at());
  place.file = value.file;
  const size_t start = walk.at();
  walk.forward_to(offset + length);
  const std::string_view part = text.substr(start, walk.at() - start);
  place.length = std::max<uint32_t>(1, count_characters(part.substr(0, part.find('\n'))));
  return place;
}

}  // namespace foster
