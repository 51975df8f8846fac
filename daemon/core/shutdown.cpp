#include "daemon/core/shutdown.hpp"

#include "common/check.hpp"

namespace foster::core {

void Shutdown::resume(int exit_code) {
  under_way_ = true;
  by_request_ = true;
  exit_code_ = exit_code;
}

Shutdown::Step Shutdown::requested(int exit_code, Instant now) {
  if (!under_way_) {
    resume(exit_code);
    return Step::begin;
  }
  if (by_request_) {
    if (!last_moment_) last_moment_ = now + kHurriedAtMost;
    return Step::hurry;
  }
  by_request_ = true;
  return Step::wait;
}

bool Shutdown::essential_gone(int exit_code) {
  if (under_way_) return false;
  under_way_ = true;
  exit_code_ = exit_code;
  return true;
}

bool Shutdown::end() {
  FOSTER_CHECK(under_way_);
  if (ended_) return false;
  ended_ = true;
  return true;
}

}  // namespace foster::core
