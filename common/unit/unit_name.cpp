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
  if (std::string_view(".-@").contains(name[0]))
    return quoted_text(name) + " cannot be a unit's name: it begins with `" +
           std::string(name.substr(0, 1)) + "`";
  if (name.size() > kUnitNameMax)
    return quoted_text(name) + " cannot be a unit's name: it has " + std::to_string(name.size()) +
           " bytes, and " + std::to_string(kUnitNameMax) + " are the most";
  return {};
}

bool is_template_name(std::string_view name) {
  return !name.empty() && name.find('@') == name.size() - 1;
}

std::string_view template_of(std::string_view name) {
  const size_t at = name.find('@');
  const bool instance = at != std::string_view::npos && at + 1 < name.size();
  return instance ? name.substr(0, at + 1) : std::string_view();
}

std::string_view prefix_of(std::string_view name) {
  return name.substr(0, name.find('@'));
}

std::string_view instance_of(std::string_view name) {
  const size_t at = name.find('@');
  return at == std::string_view::npos ? std::string_view() : name.substr(at + 1);
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
