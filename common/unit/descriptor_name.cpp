#include "common/unit/descriptor_name.hpp"

#include <algorithm>

#include "common/unit/unit_name.hpp"

namespace foster {
namespace {

constexpr size_t kNameMax = 255;

}  // namespace

bool is_descriptor_name(std::string_view name) {
  const auto fits = [](char c) { return c >= ' ' && c <= '~' && c != ':'; };
  return !name.empty() && name.size() <= kNameMax && std::ranges::all_of(name, fits);
}

std::string descriptor_name_mistake(std::string_view name) {
  if (is_descriptor_name(name)) return {};
  return "'" + std::string(name) +
         "' is no name for a descriptor: 1 to 255 characters of ASCII, no colon";
}

std::string descriptor_name_of(std::string_view unit) {
  std::string descriptor(prefix_of(unit));
  std::ranges::replace(descriptor, ':', '_');
  return descriptor;
}

}  // namespace foster
