#include "common/unit/toml_lexer.hpp"

#include <algorithm>
#include <string>

namespace foster {
namespace {

constexpr std::string_view kBlanks = " \t\r";

bool letter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

bool key_character(char c) {
  return letter(c) || (c >= '0' && c <= '9') || std::string_view("-.\"' \t").contains(c);
}

std::string_view without_indent(std::string_view line) {
  const size_t first = line.find_first_not_of(kBlanks);
  return first == std::string_view::npos ? std::string_view() : line.substr(first);
}

Lexeme::Kind kind_of(char c) {
  switch (c) {
    case '\n':
      return Lexeme::Kind::newline;
    case '[':
    case '{':
      return Lexeme::Kind::open;
    case ']':
    case '}':
      return Lexeme::Kind::close;
    case '=':
      return Lexeme::Kind::equals;
    case ',':
      return Lexeme::Kind::comma;
    case '.':
      return Lexeme::Kind::dot;
    case ' ':
    case '\t':
    case '\r':
      return Lexeme::Kind::blank;
    default:
      return Lexeme::Kind::other;
  }
}

}  // namespace

Lexeme TomlLexer::next() {
  if (at_ >= text_.size()) return {Lexeme::Kind::end, text_.size(), text_.size()};
  const char c = text_[at_];
  if (c == '"' || c == '\'') return string();
  const size_t begin = at_;
  if (c == '#') {
    at_ = std::min(text_.find('\n', at_), text_.size());
    return {Lexeme::Kind::comment, begin, at_};
  }
  return {kind_of(c), begin, ++at_};
}

Lexeme TomlLexer::string() {
  Lexeme lexeme{Lexeme::Kind::text, at_, at_, false, false};
  const char quote = text_[at_];
  const std::string three(3, quote);
  lexeme.multi_line = text_.substr(at_).starts_with(three);
  at_ += lexeme.multi_line ? 3 : 1;
  while (at_ < text_.size() && !lexeme.closed) {
    const char c = text_[at_];
    if (c == '\n' && !lexeme.multi_line) break;
    const bool escape = quote == '"' && c == '\\' && at_ + 1 < text_.size();
    if (escape && (lexeme.multi_line || text_[at_ + 1] != '\n')) {
      at_ += 2;
    } else if (lexeme.multi_line && text_.substr(at_).starts_with(three)) {
      at_ += 3;
      // Up to two more quotes right before the closing ones belong to the string.
      for (int i = 0; i < 2 && at_ < text_.size() && text_[at_] == quote; ++i)
        ++at_;
      lexeme.closed = true;
    } else {
      ++at_;
      lexeme.closed = !lexeme.multi_line && c == quote;
    }
  }
  lexeme.end = at_;
  return lexeme;
}

bool is_header(std::string_view line) {
  line = without_indent(line);
  size_t brackets = 0;
  while (brackets < line.size() && brackets < 2 && line[brackets] == '[')
    ++brackets;
  if (brackets == 0) return false;
  line = without_indent(line.substr(brackets));
  const size_t close = line.find(']');
  if (line.empty() || !letter(line[0]) || close == std::string_view::npos) return false;
  if (!std::ranges::all_of(line.substr(0, close), key_character)) return false;
  line = line.substr(close);
  if (!line.starts_with(std::string(brackets, ']'))) return false;
  line = without_indent(line.substr(brackets));
  return line.empty() || line[0] == '#';
}

bool begins_statement(std::string_view line) {
  line = without_indent(line);
  if (is_header(line)) return true;
  const size_t equals = line.find('=');
  return equals != std::string_view::npos && equals > 0 && letter(line[0]) &&
         std::ranges::all_of(line.substr(0, equals), key_character);
}

}  // namespace foster
