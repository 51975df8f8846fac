#include "daemon/manager/timers.hpp"

#include <sys/epoll.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <utility>

#include "daemon/manager/log.hpp"

namespace foster::manager {
namespace {

constexpr int64_t kMicrosecond = 1'000;
constexpr int64_t kSecondUs = 1'000'000;

Clocks clocks() {
  return {now_since_boot(), wall_clock_ns() / kMicrosecond};
}

}  // namespace

Timers::Timers(std::shared_ptr<const UnitSet> set, Instant daemon_started, SettingsStore& settings,
               std::function<void(core::Event)> queue, std::function<void(UnitIndex)> changed)
    : set_(set),
      settings_(settings),
      queue_(std::move(queue)),
      changed_(std::move(changed)),
      schedule_(std::move(set), daemon_started, static_cast<uint64_t>(daemon_started.ns)) {}

Timers::~Timers() {
  sd_event_source_disable_unref(source_);
}

Result<void> Timers::make_timer() {
  if (timer_) return {};
  timer_ = UniqueFd(timerfd_create(CLOCK_REALTIME, TFD_NONBLOCK | TFD_CLOEXEC));
  if (!timer_) return system_failure("make a timer", errno);
  const int r = sd_event_add_io(loop_, &source_, timer_.get(), EPOLLIN, timer_spoke, this);
  if (r < 0) return system_failure("watch a timer", -r);
  return {};
}

void Timers::add(UnitIndex unit, TimerSchedule::Past past) {
  const UnitSpec& spec = (*set_)[unit];
  if (auto made = make_timer(); !made)
    log(Level::error, made.error().message, {{"unit", spec.name}});
  const Clocks now = clocks();
  if (spec.timer->persistent) {
    const auto& runs = settings_.current().last_runs_us;
    const auto last = runs.find(spec.name);
    if (last != runs.end())
      past.last_run = last->second;
    else
      settings_.ran(spec.name, now.real_us);  // From now on nothing is missed.
  }
  schedule_.add(unit, past, now);
  tell_changes();
}

void Timers::remove(UnitIndex unit) {
  schedule_.remove(unit);
  tell_changes();
}

void Timers::started(UnitIndex unit, Instant at) {
  if (!schedule_.has(unit)) return;
  schedule_.started(unit, at, clocks());
  tell_changes();
}

int64_t Timers::next_real_ns(UnitIndex unit) const {
  return schedule_.next_real_us(unit) * kMicrosecond;
}

void Timers::arm() {
  if (!timer_) return;
  for (int64_t next_us = 0; (next_us = schedule_.next_real_us().value_or(0)) != armed_us_;) {
    itimerspec when{};
    when.it_value.tv_sec = next_us / kSecondUs;
    when.it_value.tv_nsec = next_us % kSecondUs * kMicrosecond;
    constexpr int kFlags = TFD_TIMER_ABSTIME | TFD_TIMER_CANCEL_ON_SET;
    armed_us_ = next_us;
    if (timerfd_settime(timer_.get(), kFlags, &when, nullptr) == 0) return;
    if (errno != ECANCELED) {
      log(Level::error, "cannot set a timer", {{"error", strerrordesc_np(errno)}});
      return;
    }
    schedule_.clock_set(clocks());
    tell_changes();
  }
}

int Timers::timer_spoke(sd_event_source*, int fd, uint32_t, void* self) {
  auto& timers = *static_cast<Timers*>(self);
  uint64_t times = 0;
  const ssize_t got = read(fd, &times, sizeof times);
  if (got < 0 && errno == EAGAIN) return 0;
  timers.armed_us_ = 0;
  if (got < 0 && errno == ECANCELED) timers.schedule_.clock_set(clocks());
  timers.elapse();
  return 0;
}

void Timers::elapse() {
  const Clocks now = clocks();
  for (const UnitIndex unit : schedule_.take_elapsed(now)) {
    const UnitSpec& spec = (*set_)[unit];
    if (spec.timer->persistent) settings_.ran(spec.name, now.real_us);
    queue_(core::TimerElapsed{unit});
  }
  tell_changes();
}

void Timers::tell_changes() {
  for (const UnitIndex unit : schedule_.take_changed())
    changed_(unit);
}

}  // namespace foster::manager
