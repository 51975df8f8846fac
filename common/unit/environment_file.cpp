#include "common/unit/environment_file.hpp"

#include <algorithm>

#include "common/unit/environment_name.hpp"
#include "common/unit/source_text.hpp"

namespace foster {
namespace {

constexpr std::string_view kBlanks = " \t\r";

class Reader {
 public:
  Reader(const std::string& path, std::string_view text) : path_(path), text_(text) {}

  EnvironmentFileContent read() {
    const size_t nul = text_.find('\0');
    if (nul != std::string_view::npos) {
      mistake(nul, "a NUL byte: this is not a text file");
      return std::move(content_);
    }
    if (text_.starts_with("\xef\xbb\xbf")) at_ = 3;
    while (at_ < text_.size())
      statement();
    return std::move(content_);
  }

 private:
  void mistake(size_t offset, std::string message, uint32_t length = 1) {
    Place place = place_of(text_, offset);
    place.length = length;
    content_.diagnostics.push_back(diagnostic_at(path_, text_, place, std::move(message)));
  }

  [[nodiscard]] bool at_line_end() const { return at_ >= text_.size() || text_[at_] == '\n'; }
  void skip_blanks() {
    while (at_ < text_.size() && kBlanks.contains(text_[at_]))
      ++at_;
  }
  void skip_line() {
    const size_t end = text_.find('\n', at_);
    at_ = end == std::string_view::npos ? text_.size() : end + 1;
  }

  /// Reads one line; several when a quoted value goes over them.
  void statement() {
    skip_blanks();
    if (at_line_end() || text_[at_] == '#' || text_[at_] == ';') return skip_line();
    size_t start = at_;
    std::string_view line = text_.substr(at_, text_.find('\n', at_) - at_);
    constexpr std::string_view kExport = "export ";
    if (line.starts_with(kExport)) {
      line.remove_prefix(kExport.size());
      start += kExport.size();
    }
    const size_t equals = line.find('=');
    if (equals == std::string_view::npos) {
      mistake(at_, "expected NAME=value", count_characters(trimmed(line)) + (start > at_ ? 7 : 0));
      return skip_line();
    }
    const size_t indent = line.find_first_not_of(kBlanks);
    const std::string_view name = line.substr(0, equals).substr(indent);
    if (std::string wrong = environment_name_mistake(name); !wrong.empty()) {
      mistake(start + indent, std::move(wrong), count_characters(name));
    }
    at_ = start + equals + 1;
    value(name);
  }

  static std::string_view trimmed(std::string_view text) {
    const size_t first = text.find_first_not_of(kBlanks);
    if (first == std::string_view::npos) return {};
    return text.substr(first, text.find_last_not_of(kBlanks) - first + 1);
  }

  void value(std::string_view name) {
    skip_blanks();
    if (at_ < text_.size() && (text_[at_] == '"' || text_[at_] == '\'')) return quoted_value(name);
    const size_t start = at_;
    skip_line();
    std::string_view line = text_.substr(start, at_ - start);
    if (line.ends_with('\n')) line.remove_suffix(1);
    content_.variables.emplace_back(name, trimmed(line));
  }

  void quoted_value(std::string_view name) {
    const size_t open = at_;
    const char quote = text_[at_++];
    std::string value;
    while (at_ < text_.size() && text_[at_] != quote) {
      if (quote == '"' && text_[at_] == '\\') {
        escape(value);
      } else {
        value += text_[at_++];
      }
    }
    if (at_ >= text_.size()) {
      mistake(open, std::string("the quote ") + quote + " is not closed");
      return;
    }
    ++at_;
    skip_blanks();
    if (!at_line_end() && text_[at_] != '#')
      mistake(at_, "text after the closing quote; put quotes round the whole value");
    skip_line();
    content_.variables.emplace_back(name, std::move(value));
  }

  void escape(std::string& value) {
    const size_t start = at_++;
    if (at_ >= text_.size()) return;
    const char c = text_[at_++];
    if (c == 'n') {
      value += '\n';
    } else if (c == 't') {
      value += '\t';
    } else if (std::string_view("\"\\$`'").contains(c)) {
      value += c;
    } else if (c != '\n') {
      const size_t length = std::max<size_t>(1, utf8_length(text_.substr(start + 1)));
      mistake(start,
              "unknown escape `" + std::string(text_.substr(start, 1 + length)) +
                  "`; known are \\\" \\\\ \\$ \\` \\n \\t, and write \\\\ for a backslash itself",
              2);
    }
  }

  const std::string& path_;
  std::string_view text_;
  size_t at_ = 0;
  EnvironmentFileContent content_;
};

}  // namespace

EnvironmentFileContent parse_environment_file(const std::string& path, std::string_view text) {
  return Reader(path, text).read();
}

}  // namespace foster
