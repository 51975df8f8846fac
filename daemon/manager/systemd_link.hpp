// What foster tells the supervisor above it (sd_notify(3)), through the keeper, which is the
// process that systemd knows. The watchdog's answer goes manager -> keeper -> systemd, so it proves
// that both turn.
#pragma once

#include <functional>
#include <string>

#include <systemd/sd-event.h>

#include "common/result.hpp"

namespace foster::manager {

class SystemdLink {
 public:
  /// `send` hands a text to the keeper, and a descriptor unless that is -1. Reads $NOTIFY_SOCKET
  /// and $WATCHDOG_USEC; without the former, nothing here does anything.
  using Send = std::function<void(const std::string& text, int fd)>;
  explicit SystemdLink(Send send);
  ~SystemdLink();
  SystemdLink(const SystemdLink&) = delete;
  SystemdLink& operator=(const SystemdLink&) = delete;

  /// Answers the watchdog from now on, twice as often as it asks for.
  Result<void> attach(sd_event* loop);

  /// Whether anybody listens: a text need not be made otherwise.
  [[nodiscard]] bool wanted() const { return wanted_; }
  void ready();                          // once
  void stopping();                       // once
  void status(const std::string& text);  // sent when it differs from the last
  /// Into the supervisor's own store of descriptors, from where the next fosterd is given it by
  /// $LISTEN_FDS, under this name. False: nobody listens.
  bool store(const std::string& name, int fd);

 private:
  static int watchdog_due(sd_event_source* source, uint64_t now_us, void* self);

  Send send_;
  bool wanted_ = false;
  uint64_t watchdog_period_us_ = 0;  // 0: systemd does not watch us
  sd_event_source* source_ = nullptr;
  bool ready_ = false;
  bool stopping_ = false;
  std::string status_;
};

}  // namespace foster::manager
