// Lengths of time as people write them: "1min 30s", "200ms", "1.5h", "0s".
#pragma once

#include <string>
#include <string_view>

#include "common/instant.hpp"
#include "common/result.hpp"

namespace foster {

/// The longest that is accepted. Any sum of a few of them and an Instant still fits its 64 bits.
inline constexpr Duration kDurationMax = std::chrono::hours(24 * 3650);

/// What a person reads when something else was written.
inline constexpr std::string_view kDurationExpected =
    "a duration such as \"200ms\", \"10s\" or \"1min 30s\"";

/// Numbers, each with its unit (ns, us, ms, s, min, h, d), spaces between and round them as one
/// likes. The error's message is what is wrong with the text, without "cannot ...".
[[nodiscard]] Result<Duration> parse_duration(std::string_view text);

/// The shortest way to write it that parse_duration reads back as the same: "1min 30s", "0s".
[[nodiscard]] std::string format_duration(Duration duration);

}  // namespace foster
