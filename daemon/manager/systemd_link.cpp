#include "daemon/manager/systemd_link.hpp"

#include <charconv>
#include <cstdlib>
#include <cstring>
#include <ctime>

namespace foster::manager {
namespace {

constexpr uint64_t kTimerAccuracyUs = 100'000;

uint64_t watchdog_interval_us() {
  // WATCHDOG_PID names the keeper, or is not set; it is not for the manager to compare.
  const char* text = std::getenv("WATCHDOG_USEC");
  if (text == nullptr) return 0;
  uint64_t interval = 0;
  const auto [end, error] = std::from_chars(text, text + std::strlen(text), interval);
  return error == std::errc{} && *end == '\0' ? interval : 0;
}

}  // namespace

SystemdLink::SystemdLink(Send send)
    : send_(std::move(send)), wanted_(std::getenv("NOTIFY_SOCKET") != nullptr) {
  if (wanted_) watchdog_period_us_ = watchdog_interval_us() / 2;
}

SystemdLink::~SystemdLink() {
  sd_event_source_disable_unref(source_);
}

Result<void> SystemdLink::attach(sd_event* loop) {
  if (watchdog_period_us_ == 0) return {};
  const int r = sd_event_add_time_relative(loop, &source_, CLOCK_MONOTONIC, 0, kTimerAccuracyUs,
                                           watchdog_due, this);
  if (r < 0) return system_failure("arm the timer of systemd's watchdog", -r);
  return {};
}

int SystemdLink::watchdog_due(sd_event_source* source, uint64_t, void* self) {
  auto& link = *static_cast<SystemdLink*>(self);
  link.send_("WATCHDOG=1", -1);
  const int r = sd_event_source_set_time_relative(source, link.watchdog_period_us_);
  return r < 0 ? r : sd_event_source_set_enabled(source, SD_EVENT_ONESHOT);
}

void SystemdLink::ready() {
  if (wanted_ && !ready_) send_("READY=1", -1);
  ready_ = true;
}

void SystemdLink::stopping() {
  if (wanted_ && !stopping_) send_("STOPPING=1", -1);
  stopping_ = true;
}

void SystemdLink::status(const std::string& text) {
  if (!wanted_ || text == status_) return;
  status_ = text;
  send_("STATUS=" + text, -1);
}

bool SystemdLink::store(const std::string& name, int fd) {
  if (wanted_) send_("FDSTORE=1\nFDNAME=" + name, fd);
  return wanted_;
}

}  // namespace foster::manager
