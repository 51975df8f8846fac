// The keys that a unit was given, for checks of what several of them say together.
#pragma once

#include <string_view>
#include <vector>

#include "common/unit/unit_keys.hpp"

namespace foster {

struct GivenKey {
  const KeySpec* key;
  const ConfigEntry* entry;
  bool accepted;  // its value was

  [[nodiscard]] Place value_place() const { return entry->value.place; }
};

class GivenKeys {
 public:
  void add(const GivenKey& given) { keys_.push_back(given); }

  /// Null when the unit was not given it.
  [[nodiscard]] const GivenKey* find(Section section, std::string_view name) const {
    for (const GivenKey& given : keys_) {
      if (given.key->section == section && given.key->name == name) return &given;
    }
    return nullptr;
  }

  /// Whether it was given and its value refused: then there is nothing to compare it with.
  [[nodiscard]] bool refused(Section section, std::string_view name) const {
    const GivenKey* given = find(section, name);
    return given != nullptr && !given->accepted;
  }

  [[nodiscard]] const std::vector<GivenKey>& all() const { return keys_; }

 private:
  std::vector<GivenKey> keys_;
};

}  // namespace foster
