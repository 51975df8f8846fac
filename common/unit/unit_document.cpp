#include "common/unit/unit_document.hpp"

#include <algorithm>

namespace foster {
namespace {

void set_file(ConfigValue& value, uint32_t file) {
  value.place.file = file;
  for (ConfigValue& item : value.items)
    set_file(item, file);
  for (ConfigEntry& entry : value.entries) {
    entry.place.file = file;
    set_file(entry.value, file);
  }
}

void merge(ConfigValue& under, ConfigValue over) {
  for (ConfigEntry& entry : over.entries) {
    const auto found = std::ranges::find(under.entries, entry.name, &ConfigEntry::name);
    if (found == under.entries.end()) {
      under.entries.push_back(std::move(entry));
    } else if (found->value.kind == ValueKind::table && entry.value.kind == ValueKind::table) {
      merge(found->value, std::move(entry.value));
    } else {
      *found = std::move(entry);
    }
  }
}

}  // namespace

void merge_drop_in(ConfigValue& document, ConfigValue drop_in, uint32_t file) {
  set_file(drop_in, file);
  merge(document, std::move(drop_in));
}

}  // namespace foster
