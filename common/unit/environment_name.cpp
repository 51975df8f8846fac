#include "common/unit/environment_name.hpp"

#include <algorithm>

#include "common/unit/diagnostic.hpp"

namespace foster {
namespace {

bool letter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}
bool part(char c) {
  return letter(c) || (c >= '0' && c <= '9') || c == '.' || c == '-';
}

}  // namespace

std::string environment_name_mistake(std::string_view name) {
  if (name.empty()) return "a variable's name cannot be empty";
  if (letter(name[0]) && std::ranges::all_of(name, part)) return {};
  return quoted_text(name) +
         " cannot be a variable's name: letters, digits, `_`, `.` and `-` make one, a letter or "
         "`_` "
         "first";
}

}  // namespace foster
