// A datagram sent to $NOTIFY_SOCKET (sd_notify(3)), decoded: lines of KEY=VALUE become what the
// core is told. Pure: who sent it is judged elsewhere (notify_socket.hpp).
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "daemon/core/event.hpp"

namespace foster::manager {

/// Longest text of a service that is kept, in bytes.
inline constexpr size_t kNotifyStatusMax = 255;

/// What a service wants with foster's store of descriptors (FDSTORE in sd_notify(3)).
struct StoreWish {
  bool store = false;
  bool remove = false;
  bool poll = true;  // dropped when it hangs up
  std::string name;  // as said; empty: nothing was
};

struct NotifyMessage {
  core::Notified said;  // its unit is left to the receiver
  bool news = false;    // there is something in `said`
  /// BARRIER=1: the sender waits until all that it sent before has been handled.
  bool barrier = false;
  StoreWish wish;
  std::vector<std::string> warnings;  // what was malformed and does not count; at most a few
};

/// Keys that mean nothing here are passed over, as the protocol asks for. Of a key that comes
/// twice the last one counts.
[[nodiscard]] NotifyMessage parse_notify_message(std::string_view text);

/// Valid UTF-8 on one line: control characters become blanks, bytes that are no UTF-8 become
/// U+FFFD; cut between characters to at most `bytes_max` bytes.
[[nodiscard]] std::string one_line(std::string_view text, size_t bytes_max);

}  // namespace foster::manager
