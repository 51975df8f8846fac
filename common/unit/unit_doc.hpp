// The table of keys as a part of the manual.
#pragma once

#include <string>

namespace foster {

/// The KEYS section of foster.unit(5), in roff (man(7)).
[[nodiscard]] std::string unit_keys_roff();

}  // namespace foster
