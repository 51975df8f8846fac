#include "common/unit/expansion.hpp"

#include <algorithm>

#include "common/unit/diagnostic.hpp"

namespace foster {
namespace {

bool name_start(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}
bool name_part(char c) {
  return name_start(c) || (c >= '0' && c <= '9');
}

/// A piece of the text: what stands for itself, or a reference to a variable.
struct Piece {
  enum class Kind { literal, variable, unterminated };
  Kind kind = Kind::literal;
  std::string_view text;  // literal: as it shall come out; else the name
  size_t length = 0;      // bytes of the whole text that it takes
};

Piece reference(std::string_view text) {
  const size_t end = text.find('}');
  if (end == std::string_view::npos)
    return {Piece::Kind::unterminated, text.substr(2), text.size()};
  return {Piece::Kind::variable, text.substr(2, end - 2), end + 1};
}

/// The first piece of a text that is not empty.
Piece first_piece(std::string_view text) {
  if (text.starts_with("$$")) return {Piece::Kind::literal, text.substr(0, 1), 2};
  if (text.starts_with("${")) return reference(text);
  const size_t next = text.find('$', 1);
  const std::string_view literal = text.substr(0, next);
  return {Piece::Kind::literal, literal, literal.size()};
}

std::string name_mistake(std::string_view name) {
  if (name.empty()) return "`${}` names no variable";
  const size_t head = name.find_first_of(":-=?+%#");
  if (head != std::string_view::npos && valid_variable_name(name.substr(0, head))) {
    const std::string plain = "`${" + std::string(name.substr(0, head)) + "}`";
    return "only " + plain +
           " can be written here: defaults and other forms of the shell's are not known";
  }
  return backticked_text(name) +
         " is no variable's name: letters, digits and `_` make one, and no digit comes first";
}

const std::string* find(Variables variables, std::string_view name) {
  for (size_t i = variables.size(); i-- > 0;) {
    if (variables[i].first == name) return &variables[i].second;
  }
  return nullptr;
}

}  // namespace

bool valid_variable_name(std::string_view name) {
  return !name.empty() && name_start(name[0]) && std::ranges::all_of(name, name_part);
}

std::vector<ExpansionMistake> check_expansion(std::string_view text) {
  std::vector<ExpansionMistake> mistakes;
  for (size_t offset = 0; offset < text.size();) {
    const Piece piece = first_piece(text.substr(offset));
    if (piece.kind == Piece::Kind::unterminated)
      mistakes.push_back(
          {offset, 2, "`${` without a `}`; write `$${` for the characters themselves"});
    if (piece.kind == Piece::Kind::variable && !valid_variable_name(piece.text))
      mistakes.push_back({offset, piece.length, name_mistake(piece.text)});
    offset += piece.length;
  }
  return mistakes;
}

Result<std::string> expand(std::string_view text, Variables variables) {
  std::string expanded;
  for (size_t offset = 0; offset < text.size();) {
    const Piece piece = first_piece(text.substr(offset));
    const auto cannot = [&] {
      return "expand " + backticked_text(text.substr(offset, piece.length));
    };
    switch (piece.kind) {
      case Piece::Kind::literal:
        expanded += piece.text;
        break;
      case Piece::Kind::unterminated:
        return failure(cannot(), "`${` without a `}`");
      case Piece::Kind::variable: {
        if (!valid_variable_name(piece.text)) return failure(cannot(), name_mistake(piece.text));
        const std::string* value = find(variables, piece.text);
        if (value == nullptr) return failure(cannot(), "the environment has no such variable");
        expanded += *value;
        break;
      }
    }
    offset += piece.length;
  }
  return expanded;
}

Result<std::vector<std::string>> expand_command(const std::vector<std::string>& command,
                                                Variables variables) {
  std::vector<std::string> expanded;
  expanded.reserve(command.size());
  for (const std::string& part : command) {
    Result<std::string> text = expand(part, variables);
    if (!text) return std::unexpected(std::move(text.error()));
    expanded.push_back(std::move(*text));
  }
  return expanded;
}

}  // namespace foster
