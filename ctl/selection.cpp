#include "ctl/selection.hpp"

#include <algorithm>
#include <fnmatch.h>
#include <numeric>

#include "common/nearest_word.hpp"

namespace foster::ctl {
namespace {

bool is_pattern(std::string_view name) {
  return name.find_first_of("*?[") != std::string::npos;
}

bool append_matching(const region::Reader& reader, const std::string& pattern,
                     std::vector<uint32_t>& slots) {
  const size_t before = slots.size();
  for (uint32_t slot = 0; slot < reader.slot_count(); ++slot) {
    const std::string name(reader.slot_name(slot));
    if (fnmatch(pattern.c_str(), name.c_str(), 0) == 0) slots.push_back(slot);
  }
  return slots.size() > before;
}

}  // namespace

Selection select_slots(const region::Reader& reader, const std::vector<std::string>& names) {
  Selection selection;
  std::vector<uint32_t>& slots = selection.slots;
  if (names.empty()) {
    slots.resize(reader.slot_count());
    std::iota(slots.begin(), slots.end(), 0u);
    return selection;
  }
  for (const std::string& name : names) {
    if (const std::optional<uint32_t> slot = reader.find(name)) {
      slots.push_back(*slot);
    } else if (!is_pattern(name) || !append_matching(reader, name, slots)) {
      selection.missing.push_back(name);
    }
  }
  std::ranges::sort(slots);
  slots.erase(std::unique(slots.begin(), slots.end()), slots.end());
  return selection;
}

std::string no_such_unit(const region::Reader& reader, std::string_view name) {
  std::vector<std::string_view> known;
  for (uint32_t slot = 0; slot < reader.slot_count(); ++slot)
    known.push_back(reader.slot_name(slot));
  const std::string_view near = is_pattern(name) ? std::string_view() : nearest_word(name, known);
  std::string text = "no such unit: ";
  text += name;
  return near.empty() ? text : text.append(" (did you mean ").append(near).append("?)");
}

}  // namespace foster::ctl
