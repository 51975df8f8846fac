// Signals by name: what unit files and `fosterctl signal` accept, and what people are shown.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace foster {

/// The number of "SIGTERM", "TERM", "15", "SIGRTMIN+3", "RTMAX-1", in any case of letters; nothing
/// for what is no signal on this machine.
[[nodiscard]] std::optional<int> signal_number(std::string_view name);

/// "SIGTERM"; "SIGRTMIN+3" for a real-time one; "signal 77" for what has no name.
[[nodiscard]] std::string signal_name(int number);

/// The known name that `wrong` was most likely meant to be, with its "SIG"; empty when none is
/// near.
[[nodiscard]] std::string nearest_signal_name(std::string_view wrong);

}  // namespace foster
