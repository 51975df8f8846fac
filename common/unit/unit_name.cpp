#include "common/unit/unit_name.hpp"

#include <algorithm>

#include "common/unit/diagnostic.hpp"
#include "common/unit/unit_spec.hpp"

namespace foster {
namespace {

bool name_character(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
         std::string_view("_.@:-").contains(c);
}

}  // namespace

std::string unit_name_mistake(std::string_view name) {
  if (name.empty()) return "a unit's name cannot be empty";
  if (!std::ranges::all_of(name, name_character))
    return quoted_text(name) +
           " cannot be a unit's name: letters, digits and the characters _ . @ : - make one";
  if (name[0] == '.' || name[0] == '-')
    return quoted_text(name) + " cannot be a unit's name: it begins with `" +
           std::string(name.substr(0, 1)) + "`";
  if (name.size() > kUnitNameMax)
    return quoted_text(name) + " cannot be a unit's name: it has " + std::to_string(name.size()) +
           " bytes, and " + std::to_string(kUnitNameMax) + " are the most";
  if (name.ends_with('@'))
    return quoted_text(name) +
           " would be a template: templates are not supported yet; end the name otherwise than in "
           "@";
  return {};
}

Result<std::string> unit_name_of(std::string_view path) {
  constexpr std::string_view kSuffix = ".toml";
  std::string_view name = path.substr(path.rfind('/') + 1);
  if (!name.ends_with(kSuffix))
    return std::unexpected(Error{"the name of a unit file ends in .toml", 0});
  name.remove_suffix(kSuffix.size());
  if (std::string mistake = unit_name_mistake(name); !mistake.empty())
    return std::unexpected(Error{std::move(mistake), 0});
  return std::string(name);
}

}  // namespace foster
