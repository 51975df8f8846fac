// Internet addresses as numbers and as people write them (RFC 4291, RFC 5952). The units' room
// judges addresses, and asks the system for nothing.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace foster {

using Ipv4Bytes = std::array<uint8_t, 4>;
using Ipv6Bytes = std::array<uint8_t, 16>;

/// Four numbers with dots; none with a needless zero, which others read as octal.
[[nodiscard]] std::optional<Ipv4Bytes> parse_ipv4(std::string_view text);

/// Without brackets and without an interface.
[[nodiscard]] std::optional<Ipv6Bytes> parse_ipv6(std::string_view text);

/// The shortest way to write it: "::1".
[[nodiscard]] std::string ipv6_text(const Ipv6Bytes& address);

}  // namespace foster
