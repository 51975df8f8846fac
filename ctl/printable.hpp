// Text of unknown origin made fit for a terminal: names and status texts come from unit files and
// services, and must not move the cursor, change colours or break a line.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace foster::ctl {

/// Control characters, the C1 ones too, and bytes that are not UTF-8 become '?'.
[[nodiscard]] std::string printable(std::string_view text);

/// Characters, which for the text of `printable` is what it takes up on a terminal (wide characters
/// count as one: the names of units are ASCII, and a status text is the last column).
[[nodiscard]] size_t display_width(std::string_view text);

/// At most `width` characters; what is longer ends in an ellipsis.
[[nodiscard]] std::string shortened(std::string_view text, size_t width);

}  // namespace foster::ctl
