// Who calls a method, as the kernel knows it, and what is owed to whom.
#pragma once

#include <cstdint>
#include <memory>
#include <sys/types.h>

#include <systemd/sd-bus.h>

namespace foster::manager {

struct MessageDeleter {
  void operator()(sd_bus_message* message) const { sd_bus_message_unref(message); }
};
using BusMessage = std::unique_ptr<sd_bus_message, MessageDeleter>;

struct BusCaller {
  sd_bus* bus = nullptr;
  uid_t uid = 0;
  pid_t pid = 0;
  bool gone = false;  // to be let go at the end of the turn

  BusCaller() = default;
  ~BusCaller() { sd_bus_close_unref(bus); }
  BusCaller(const BusCaller&) = delete;
  BusCaller& operator=(const BusCaller&) = delete;

  /// Root and the daemon's own user.
  [[nodiscard]] bool may_change() const;

  /// False when the caller does not read what it is sent; it is gone then.
  bool keeps_up();
};

/// The error for a caller that may not, and a line in the log. `what` fits "may <what> units here".
int refuse(const BusCaller& caller, sd_bus_error* error, const char* what);

}  // namespace foster::manager
