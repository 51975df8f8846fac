#include "daemon/manager/bus_caller.hpp"

#include <unistd.h>

#include <string>

#include "common/bus_api.hpp"
#include "daemon/manager/log.hpp"

namespace foster::manager {
namespace {

/// A client that lets this many answers pile up does not read them, and is let go.
constexpr uint64_t kUnreadAnswers = 64;

}  // namespace

bool BusCaller::may_change() const {
  return uid == 0 || uid == geteuid();
}

bool BusCaller::keeps_up() {
  uint64_t unread = 0;
  if (sd_bus_get_n_queued_write(bus, &unread) >= 0 && unread <= kUnreadAnswers) return true;
  gone = true;
  return false;
}

int refuse(const BusCaller& caller, sd_bus_error* error, const char* what) {
  log(Level::warning, "a request was refused: not permitted",
      {{"verb", what}, {"uid", caller.uid}, {"pid", caller.pid}});
  const uid_t own = geteuid();
  const std::string text = std::string("cannot ") + what + ": only root " +
                           (own == 0 ? "" : "and uid " + std::to_string(own) + " ") +
                           "may change anything here; you are uid " + std::to_string(caller.uid);
  return sd_bus_error_set(error, bus_api::kErrorNotPermitted, text.c_str());
}

}  // namespace foster::manager
