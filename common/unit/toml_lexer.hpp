// The pieces of a TOML text, right or wrong: enough to tell strings, brackets and lines apart where
// the TOML library has only said that something is wrong.
#pragma once

#include <cstdint>
#include <string_view>

namespace foster {

struct Lexeme {
  enum class Kind : uint8_t {
    end,
    newline,
    blank,
    comment,
    text,
    open,
    close,
    equals,
    comma,
    dot,
    other
  };
  Kind kind = Kind::end;
  size_t begin = 0;
  size_t end = 0;
  bool closed = true;       // text (a string): its closing quotes are there
  bool multi_line = false;  // text: within three quotes
};

class TomlLexer {
 public:
  explicit TomlLexer(std::string_view text, size_t at = 0) : text_(text), at_(at) {}

  [[nodiscard]] size_t at() const { return at_; }
  Lexeme next();

 private:
  Lexeme string();
  std::string_view text_;
  size_t at_;
};

/// Whether the line looks like the begin of a statement, "key =" or "[section]", which an array
/// that was left open must not swallow.
[[nodiscard]] bool begins_statement(std::string_view line);

/// Whether the line looks like "[section]" or "[[section]]".
[[nodiscard]] bool is_header(std::string_view line);

}  // namespace foster
