// Which names a variable of a service's environment may have.
#pragma once

#include <string>
#include <string_view>

namespace foster {

/// What is wrong with the name, as a sentence that quotes it; empty when nothing is. Wider than
/// what
/// `${NAME}` can refer to: some programs read names with '.' or '-' in them.
[[nodiscard]] std::string environment_name_mistake(std::string_view name);

}  // namespace foster
