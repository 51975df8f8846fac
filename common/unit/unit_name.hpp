// The name of a unit: its file's name without ".toml". "worker@" is the name of a template, which
// is no unit itself; "worker@3" of its instance 3.
#pragma once

#include <string>
#include <string_view>

#include "common/result.hpp"

namespace foster {

/// What is wrong with the name; empty when nothing is. Letters, digits and _ . @ : - make a name;
/// it does not begin with '.', '-' or '@' and has at most kUnitNameMax bytes.
[[nodiscard]] std::string unit_name_mistake(std::string_view name);

/// The unit's name from the path of its file.
[[nodiscard]] Result<std::string> unit_name_of(std::string_view path);

[[nodiscard]] bool is_template_name(std::string_view name);

/// "worker@" for "worker@3"; empty for a unit that is no instance.
[[nodiscard]] std::string_view template_of(std::string_view name);

/// "worker" for "worker@3"; the whole name of a unit that is no instance.
[[nodiscard]] std::string_view prefix_of(std::string_view name);

/// "3" for "worker@3"; empty for a unit that is no instance.
[[nodiscard]] std::string_view instance_of(std::string_view name);

}  // namespace foster
