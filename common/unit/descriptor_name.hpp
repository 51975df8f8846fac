// What a descriptor is called in $LISTEN_FDNAMES (sd_listen_fds_with_names(3)).
#pragma once

#include <string>
#include <string_view>

namespace foster {

/// 1 to 255 printable ASCII characters without a colon, which parts them.
[[nodiscard]] bool is_descriptor_name(std::string_view name);

/// What is wrong with it: "'a:b' is no name for a descriptor: ..."; empty when nothing is.
[[nodiscard]] std::string descriptor_name_mistake(std::string_view name);

/// "worker" for "worker@3", "a_b" for "a:b": what descriptors of the unit are called where nothing
/// is said.
[[nodiscard]] std::string descriptor_name_of(std::string_view unit);

}  // namespace foster
