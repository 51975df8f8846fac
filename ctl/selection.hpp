// From names and patterns to slots.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "common/region/reader.hpp"

namespace foster::ctl {

struct Selection {
  std::vector<uint32_t> slots;       // each once, in order of name
  std::vector<std::string> missing;  // names and patterns that nothing answers to
};

/// A name that there is means that unit; anything else is a pattern of fnmatch(3). No names: all
/// slots.
[[nodiscard]] Selection select_slots(const region::Reader& reader,
                                     const std::vector<std::string>& names);

/// "no such unit: wbe (did you mean web?)".
[[nodiscard]] std::string no_such_unit(const region::Reader& reader, std::string_view name);

}  // namespace foster::ctl
