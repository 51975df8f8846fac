#include "common/unit/toml_syntax.hpp"

#include <algorithm>
#include <array>
#include <vector>

#include "common/unit/diagnostic.hpp"
#include "common/unit/toml_lexer.hpp"

namespace foster {
namespace {

using Kind = Lexeme::Kind;
constexpr size_t kNone = std::string_view::npos;
constexpr std::string_view kBlanks = " \t\r";

/// A statement that was passed on the way: "key = ..." or "[section]".
struct Statement {
  size_t begin = 0;
  std::string_view name;     // the key or the section as written
  std::string_view section;  // of a key: the name of the section it stands in
  bool header = false;
};

/// The text round a mistake, as far as it has a structure.
struct Scene {
  std::string_view text;
  std::string_view reason;   // the library's, without where
  size_t at = 0;             // the mistake
  size_t statement = 0;      // where the statement with the mistake begins
  size_t piece = 0;          // behind the last '=', ',' or bracket before the mistake
  size_t token = kNone;      // where the value after `piece` begins, if before the mistake
  size_t pair = 0;           // behind the last ',', '{' or begin of the statement
  std::vector<size_t> open;  // brackets of the statement that are open at the mistake
  Lexeme string;             // the last string that began before the mistake
  std::vector<Statement> earlier;

  [[nodiscard]] char seen() const { return at < text.size() ? text[at] : '\n'; }
  [[nodiscard]] size_t line_begin() const {
    const size_t newline = at == 0 ? kNone : text.rfind('\n', at - 1);
    return newline == kNone ? 0 : newline + 1;
  }
  [[nodiscard]] size_t line_end(size_t from) const {
    return std::min(text.find('\n', from), text.size());
  }
  [[nodiscard]] bool header() const {
    const size_t first = text.find_first_not_of(kBlanks, statement);
    return first != kNone && text[first] == '[';
  }
};

std::string_view trimmed(std::string_view text) {
  const size_t first = text.find_first_not_of(kBlanks);
  if (first == kNone) return {};
  return text.substr(first, text.find_last_not_of(kBlanks) - first + 1);
}

/// Walks the text up to the mistake.
class SceneBuilder {
 public:
  SceneBuilder(std::string_view text, size_t at) {
    scene_.text = text;
    scene_.at = at;
    TomlLexer lexer(text);
    while (lexer.at() < at)
      take(lexer.next());
  }

  Scene scene() { return std::move(scene_); }

 private:
  void take(const Lexeme& lexeme) {
    switch (lexeme.kind) {
      case Kind::newline:
        if (scene_.open.empty() || scene_.header()) begin_statement(lexeme.end);
        break;
      case Kind::open:
        scene_.open.push_back(lexeme.begin);
        begin_piece(lexeme.end);
        if (scene_.text[lexeme.begin] == '{') scene_.pair = lexeme.end;
        break;
      case Kind::close:
        if (!scene_.open.empty()) scene_.open.pop_back();
        break;
      case Kind::comma:
        begin_piece(lexeme.end);
        scene_.pair = lexeme.end;
        break;
      case Kind::equals:
        begin_piece(lexeme.end);
        break;
      case Kind::text:
        scene_.string = lexeme;
        begin_token(lexeme.begin);
        break;
      case Kind::dot:
      case Kind::other:
        begin_token(lexeme.begin);
        break;
      case Kind::end:
      case Kind::blank:
      case Kind::comment:
        break;
    }
  }

  void begin_piece(size_t at) {
    scene_.piece = at;
    scene_.token = kNone;
  }

  void begin_token(size_t at) {
    if (scene_.token == kNone) scene_.token = at;
  }

  void begin_statement(size_t begin) {
    remember(scene_.text.substr(scene_.statement, begin - scene_.statement));
    begin_piece(begin);
    scene_.statement = scene_.pair = begin;
    scene_.open.clear();
  }

  void remember(std::string_view statement) {
    const std::string_view first_line = trimmed(statement.substr(0, statement.find('\n')));
    if (is_header(first_line)) {
      const size_t name = first_line.find_first_not_of("[ \t");
      section_ = trimmed(first_line.substr(name, first_line.find(']') - name));
      scene_.earlier.push_back({scene_.statement, section_, {}, true});
    } else if (const size_t equals = first_line.find('='); equals != kNone) {
      const std::string_view key = trimmed(first_line.substr(0, equals));
      scene_.earlier.push_back({scene_.statement, key, section_, false});
    }
  }

  Scene scene_;
  std::string_view section_;
};

Place place_between(std::string_view text, size_t begin, size_t end) {
  Place place = place_of(text, begin);
  const std::string_view part = text.substr(begin, end - begin);
  place.length = std::max<uint32_t>(1, count_characters(trimmed(part.substr(0, part.find('\n')))));
  return place;
}

ExplainedMistake here(const Scene& scene, std::string message) {
  return {place_of(scene.text, scene.at), std::move(message)};
}

ExplainedMistake between(const Scene& scene, size_t begin, size_t end, std::string message) {
  return {place_between(scene.text, begin, end), std::move(message)};
}

using Explanation = std::optional<ExplainedMistake>;

std::string first_in_line(const Scene& scene, const Statement& statement) {
  return "; the first is in line " + std::to_string(place_of(scene.text, statement.begin).line);
}

Explanation set_twice(const Scene& scene) {
  if (!scene.reason.starts_with("cannot redefine") && !scene.reason.starts_with("cannot insert"))
    return std::nullopt;
  const bool header = scene.header();
  const size_t from = scene.text.find_first_not_of(" \t\r[", header ? scene.statement : scene.pair);
  const size_t to = scene.text.find(header ? ']' : '=', from);
  if (from == kNone || to == kNone) return std::nullopt;
  const std::string_view name = trimmed(scene.text.substr(from, to - from));
  const bool same_kind = scene.reason.starts_with("cannot redefine existing") &&
                         !scene.reason.contains("dotted") &&
                         header == scene.reason.starts_with("cannot redefine existing table");
  if (!same_kind)
    return between(scene, from, to,
                   backticked_text(name) + " cannot be set here: a part of it is set already");
  std::string message = header ? "the section [" + shortened_text(name) + "] is there twice"
                               : backticked_text(name) + " is set twice";
  std::string_view section;
  for (const Statement& earlier : scene.earlier) {
    if (earlier.header) section = earlier.name;
  }
  if (scene.open.empty() || header) {
    const auto same = [&](const Statement& earlier) {
      return earlier.header == header && earlier.name == name &&
             (header || earlier.section == section);
    };
    const auto first = std::ranges::find_if(scene.earlier, same);
    if (first != scene.earlier.end()) message += first_in_line(scene, *first);
  }
  return between(scene, from, to, std::move(message));
}

Explanation string_not_closed(const Scene& scene) {
  const Lexeme& string = scene.string;
  if (string.closed || string.kind != Kind::text || string.begin < scene.statement)
    return std::nullopt;
  const std::string quotes(string.multi_line ? 3 : 1, scene.text[string.begin]);
  return between(scene, string.begin, string.end,
                 "the string is not closed: " + quotes + " is missing at its end");
}

Explanation table_over_lines(const Scene& scene) {
  if (scene.open.empty() || scene.text[scene.open.back()] != '{' || scene.seen() != '\n')
    return std::nullopt;
  return between(
      scene, scene.open.back(), scene.at,
      "a table in braces ends on the line where it begins; for more lines write a section "
      "such as [service.environment]");
}

/// What was left open in an earlier line, when the mistake's own line is a statement of its own.
Explanation bracket_not_closed(const Scene& scene) {
  if (scene.open.empty() || scene.header()) return std::nullopt;
  const size_t begin = scene.line_begin();
  const std::string_view line = scene.text.substr(begin, scene.line_end(begin) - begin);
  const bool swallowed = scene.open.front() < begin && begins_statement(line);
  if (!swallowed && scene.at < scene.text.size()) return std::nullopt;
  const bool array = scene.text[scene.open.front()] == '[';
  return between(scene, scene.open.front(), scene.open.front() + 1,
                 array ? "the array that begins here is not closed: a ] is missing at its end"
                       : "the table that begins here is not closed: a } is missing at its end");
}

Explanation bad_header(const Scene& scene) {
  if (!scene.header()) return std::nullopt;
  const size_t begin = scene.text.find_first_not_of(kBlanks, scene.statement);
  return between(
      scene, begin, scene.line_end(begin),
      "a section begins with its name in brackets on a line of its own, such as [service]");
}

Explanation unknown_escape(const Scene& scene) {
  if (!scene.reason.starts_with("unknown escape") || scene.at == 0) return std::nullopt;
  const size_t length = std::max<size_t>(1, utf8_length(scene.text.substr(scene.at)));
  const std::string escape(scene.text.substr(scene.at - 1, 1 + length));
  return between(scene, scene.at - 1, scene.at + length,
                 "unknown escape " + escape +
                     "; write \\\\ for a backslash itself, or put the string into single quotes");
}

Explanation control_in_string(const Scene& scene) {
  if (!scene.reason.contains("control characters other than TAB")) return std::nullopt;
  return here(scene, "a control character in a string; write it as an escape such as \\u001b");
}

Explanation no_equals(const Scene& scene) {
  const size_t before = scene.at == 0 ? kNone : scene.text.find_last_not_of(kBlanks, scene.at - 1);
  const bool key_alone = scene.at >= scene.text.size() && before != kNone && before >= scene.pair &&
                         scene.piece == scene.pair;
  if (!scene.reason.starts_with("expected '='") && !key_alone) return std::nullopt;
  if (scene.seen() == ':') return here(scene, "between a key and its value belongs `=`, not `:`");
  const std::string_view key = trimmed(scene.text.substr(scene.pair, scene.at - scene.pair));
  if (scene.seen() == '\n' || scene.seen() == '\r' || scene.seen() == '}') {
    const size_t begin = scene.text.find(key, scene.pair);
    return between(scene, begin, begin + key.size(),
                   "after " + quoted_text(key) + " `=` and a value are missing");
  }
  return here(scene, "between a key and its value `=` is missing");
}

Explanation no_value(const Scene& scene) {
  if (scene.at == 0) return std::nullopt;
  const size_t before = scene.text.find_last_not_of(kBlanks, scene.at - 1);
  if (before == kNone || scene.text[before] != '=' || scene.piece != before + 1)
    return std::nullopt;
  if (!std::string_view("\n\r,]}#").contains(scene.seen())) return std::nullopt;
  return between(scene, before, before + 1, "after `=` a value is missing");
}

Explanation commas(const Scene& scene) {
  if (scene.reason.contains("saw comma"))
    return here(scene, "a value is missing before this comma");
  if (scene.reason.contains("dangling comma"))
    return here(scene, "no comma stands before the } of a table");
  if (!scene.reason.starts_with("expected comma")) return std::nullopt;
  if (scene.seen() == '"' || scene.seen() == '\'')
    return here(scene, "between two values of an array a comma is missing");
  return here(scene,
              "after a value of an array or table belongs a comma, or its end; is a quote "
              "missing?");
}

Explanation begin_of_line(const Scene& scene) {
  if (!scene.reason.starts_with("expected keys, tables")) return std::nullopt;
  if (scene.seen() == ';') return here(scene, "a comment begins with `#`, not with `;`");
  if (scene.seen() == '=') return here(scene, "before `=` a key is missing");
  return here(scene, "a line begins with a key, a [section] or `#`");
}

bool all_digits(std::string_view text) {
  return std::ranges::all_of(text, [](char c) { return c >= '0' && c <= '9'; });
}

bool curly_quote(std::string_view token) {
  constexpr std::array<std::string_view, 5> kCurly{"\u201c", "\u201d", "\u201e", "\u2018",
                                                   "\u2019"};
  return std::ranges::any_of(kCurly,
                             [&](std::string_view quote) { return token.starts_with(quote); });
}

std::string token_message(std::string_view token) {
  std::string plain(token);
  for (char& c : plain)
    c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  if (plain == "true" || plain == "yes" || plain == "on")
    return "this is no value: write true, or " + quoted_text(token) + " for a string";
  if (plain == "false" || plain == "no" || plain == "off")
    return "this is no value: write false, or " + quoted_text(token) + " for a string";
  if (curly_quote(token)) return "these are not the quotes of TOML: write \" or '";
  if (token[0] == '0' && all_digits(token))
    return "a number does not begin with 0; write \"" + std::string(token) + "\", or 0o" +
           std::string(token.substr(1)) + " for an octal one";
  if (token.find_first_of("\"'\\") != kNone)
    return "this is no value; a string needs quotes round it";
  return "a string needs quotes: write " + quoted_text(token);
}

/// A value that begins with no quote or bracket and is no number, date or boolean either.
Explanation bare_word(const Scene& scene) {
  const size_t begin = std::min(scene.token, scene.at);
  if (scene.reason.contains("representable") || scene.reason.contains("interpreted"))
    return between(scene, begin, scene.at, "the number is too large");
  if (scene.piece == scene.statement) return std::nullopt;
  const std::string_view ends = scene.open.empty() ? "\n#" : "\n#,]}";
  const size_t end = std::min(scene.text.find_first_of(ends, begin), scene.text.size());
  const std::string_view token = trimmed(scene.text.substr(begin, end - begin));
  if (token.empty() || std::string_view("\"'[]{}").contains(token[0])) return std::nullopt;
  return between(scene, begin, begin + token.size(), token_message(token));
}

Explanation after_value(const Scene& scene) {
  if (!scene.reason.starts_with("expected a comment or whitespace")) return std::nullopt;
  return here(scene, scene.seen() == ';' ? "no `;` ends a line of TOML"
                                         : "after a value nothing but a comment may follow");
}

Explanation control_character(const Scene& scene) {
  if (scene.reason.starts_with("expected '\\n' after '\\r'"))
    return here(scene, "a carriage return without the newline that belongs to it");
  const auto seen = static_cast<uint8_t>(scene.seen());
  if (scene.at >= scene.text.size() || seen >= 0x20 || scene.seen() == '\n') return std::nullopt;
  return here(scene, "a control character that cannot stand here");
}

Explanation rest(const Scene& scene) {
  if (scene.reason.starts_with("exceeded maximum nested"))
    return here(scene,
                "values are nested deeper than " + std::to_string(kTomlNestingMax) + " levels");
  return here(scene, "not valid TOML: " + std::string(scene.reason));
}

// In this order: what comes first explains what would also fit one of the later.
constexpr std::array kExplanations{
    set_twice,      string_not_closed, table_over_lines, bracket_not_closed, bad_header,
    unknown_escape, control_in_string, no_equals,        no_value,           control_character,
    commas,         begin_of_line,     bare_word,        after_value,        rest};

/// Behind the lines that belong to the same broken statement.
size_t end_of_broken(const Scene& scene) {
  const bool header = scene.header();
  std::vector<size_t> open = header ? std::vector<size_t>{} : scene.open;
  size_t begin = scene.line_begin();
  const std::string_view line = scene.text.substr(begin, scene.line_end(begin) - begin);
  // An array that was left open: the mistake's line is a good one.
  if (!header && !open.empty() && open.front() < begin && begins_statement(line)) return begin;
  // Within braces lines that look like "key =" are the table's own.
  const bool braces = std::ranges::any_of(open, [&](size_t at) { return scene.text[at] == '{'; });
  const auto stops = header || braces ? is_header : begins_statement;
  TomlLexer lexer(scene.text, std::max(scene.at, scene.string.end));
  for (Lexeme lexeme = lexer.next(); lexeme.kind != Kind::end; lexeme = lexer.next()) {
    if (lexeme.kind == Kind::open) open.push_back(lexeme.begin);
    if (lexeme.kind == Kind::close && !open.empty()) open.pop_back();
    if (lexeme.kind != Kind::newline) continue;
    begin = lexeme.end;
    const std::string_view next = scene.text.substr(begin, scene.line_end(begin) - begin);
    if ((open.empty() && !header) || stops(next)) return begin;
  }
  return scene.text.size();
}

std::string_view reason_of(std::string_view description) {
  constexpr std::string_view kPrefix = "Error while parsing ";
  if (!description.starts_with(kPrefix)) return description;
  const size_t colon = description.find(": ");
  return colon == kNone ? description : description.substr(colon + 2);
}

}  // namespace

ExplainedMistake explain_syntax(std::string_view text, const SyntaxMistake& mistake) {
  Scene scene = SceneBuilder(text, offset_of(text, mistake.place)).scene();
  scene.reason = reason_of(mistake.description);
  for (const auto explain : kExplanations) {
    Explanation explained = explain(scene);
    if (!explained) continue;
    explained->begin = scene.statement;
    explained->end = end_of_broken(scene);
    return std::move(*explained);
  }
  return {mistake.place, mistake.description, scene.statement, end_of_broken(scene)};
}

std::optional<Place> find_deep_key(std::string_view text) {
  if (std::ranges::count(text, '.') <= kTomlDotsMax) return std::nullopt;
  TomlLexer lexer(text);
  int dots = 0;
  for (Lexeme lexeme = lexer.next(); lexeme.kind != Kind::end; lexeme = lexer.next()) {
    switch (lexeme.kind) {
      case Kind::dot:
        if (++dots > kTomlDotsMax) return place_of(text, lexeme.begin);
        break;
      case Kind::newline:
      case Kind::equals:
      case Kind::comma:
      case Kind::open:
      case Kind::close:
        dots = 0;
        break;
      case Kind::end:
      case Kind::blank:
      case Kind::comment:
      case Kind::text:
      case Kind::other:
        break;
    }
  }
  return std::nullopt;
}

}  // namespace foster
