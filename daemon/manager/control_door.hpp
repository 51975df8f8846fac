// Accepts the connections to the control socket. One that cannot be had is refused, which its
// client sees, rather than left waiting: it would wake the loop again and again until somebody let
// go of a descriptor. Of refusals the log hears now and then.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <sys/socket.h>

#include <systemd/sd-event.h>

#include "common/instant.hpp"
#include "common/ipc/unique_fd.hpp"
#include "common/result.hpp"

namespace foster::manager {

class ControlDoor {
 public:
  /// Takes a connection, or lets it go and says why. `peer`: the kernel's word on who connected.
  using Welcome = std::function<Result<void>(UniqueFd connection, const ucred& peer)>;

  explicit ControlDoor(Welcome welcome) : welcome_(std::move(welcome)) {}
  ~ControlDoor() { close(); }
  ControlDoor(const ControlDoor&) = delete;
  ControlDoor& operator=(const ControlDoor&) = delete;

  Result<void> attach(sd_event* loop, UniqueFd listening);
  /// Nobody is let in any more.
  void close() { source_ = sd_event_source_disable_unref(source_); }

 private:
  static int connection_arrived(sd_event_source* source, int fd, uint32_t events, void* self);
  void accept_all();
  Result<void> let_in(UniqueFd connection);
  void complain(const std::string& why);

  Welcome welcome_;
  sd_event_source* source_ = nullptr;
  UniqueFd listening_;
  UniqueFd spare_;  // given up for a moment when there are no more
  Instant complained_;
  uint64_t refused_ = 0;  // since then
};

}  // namespace foster::manager
