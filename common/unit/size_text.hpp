// Amounts of memory as people write them: "64MiB", "1.5GiB", "512KiB", "10MB".
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "common/result.hpp"

namespace foster {

/// What a person reads when something else was written.
inline constexpr std::string_view kSizeExpected = "a size such as \"64MiB\" or \"1.5GiB\"";

/// A number with its unit (B, KiB, MiB, GiB, TiB, kB, MB, GB, TB), rounded down to whole bytes, at
/// most 1 EiB. The error's message is what is wrong with the text, without "cannot ...".
[[nodiscard]] Result<uint64_t> parse_size(std::string_view text);

}  // namespace foster
