// The name of a unit: its file's name without ".toml".
#pragma once

#include <string>
#include <string_view>

#include "common/result.hpp"

namespace foster {

/// What is wrong with the name; empty when nothing is. Letters, digits and _ . @ : - make a name;
/// it does not begin with '.' or '-' and has at most kUnitNameMax bytes.
[[nodiscard]] std::string unit_name_mistake(std::string_view name);

/// The unit's name from the path of its file.
[[nodiscard]] Result<std::string> unit_name_of(std::string_view path);

}  // namespace foster
