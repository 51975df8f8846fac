#include "ctl/daemon_watch.hpp"

#include <algorithm>
#include <cerrno>
#include <climits>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <sys/syscall.h>
#include <thread>
#include <unistd.h>
#include <utility>

#include "common/instance.hpp"

namespace foster::ctl {

void drain(int descriptor) {
  char content[4096];
  // Whether there was anything to read is of no interest.
  while (read(descriptor, content, sizeof content) > 0) {
  }
}

UniqueFd watch_names() {
  UniqueFd names(inotify_init1(IN_CLOEXEC | IN_NONBLOCK));
  if (names && inotify_add_watch(names.get(), "/dev/shm", IN_MOVED_TO) < 0) names.reset();
  return names;
}

UniqueFd open_pidfd(int32_t pid) {
  return UniqueFd(static_cast<int>(syscall(SYS_pidfd_open, pid, 0)));
}

int poll_timeout(std::optional<Instant> until) {
  if (!until) return -1;
  constexpr int64_t kMillisecond = 1'000'000;
  const int64_t left = (*until - now_since_boot()).count();
  return static_cast<int>(
      std::clamp<int64_t>((left + kMillisecond - 1) / kMillisecond, 0, INT_MAX));
}

/// What the thread works with. It has a mapping of its own, because ours is exchanged under it.
struct DaemonWatch::Sleeper {
  region::Reader reader;
  UniqueFd changes;

  static void run(const std::shared_ptr<Sleeper>& self) {
    for (;;) {
      const uint32_t seen = self->reader.generation();
      eventfd_write(self->changes.get(), 1);
      if (self->reader.header().retired != 0) {
        // Another object is the live one, for which we are not. Our owner finds it by itself, but
        // may have looked for it a moment too early: it is told once more.
        const Result<bool> exchanged = self->reader.refresh();
        if (!exchanged || *exchanged) {
          eventfd_write(self->changes.get(), 1);
          return;
        }
      }
      // Without an end, so it is a change that it returns for.
      static_cast<void>(self->reader.wait_for_change(seen, std::nullopt));
    }
  }
};

DaemonWatch::DaemonWatch(region::Reader& reader, std::string instance_id)
    : reader_(reader), id_(std::move(instance_id)) {
  begin();
}

// The thread may sleep for as long as the program runs, and ends with it.
DaemonWatch::~DaemonWatch() = default;

void DaemonWatch::begin() {
  sleeper_.reset();
  names_.reset();
  last_look_given_ = false;
  keeper_ = open_pidfd(reader_.header().keeper_pid);
  // After the pidfd was opened: from here on that pid cannot become another process's unseen.
  keeper_gone_ = reader_.keeper(now_since_boot()) == region::Liveness::dead;
  Result<region::Reader> reader = open_again();
  if (!reader) {
    // Someone deleted it. The manager will put it back, under a name that appears.
    names_ = watch_names();
    reader = open_again();
  }
  if (!reader) return;
  sleeper_ = std::make_shared<Sleeper>(
      Sleeper{std::move(*reader), UniqueFd(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK))});
  std::thread(Sleeper::run, sleeper_).detach();
}

Result<region::Reader> DaemonWatch::open_again() const {
  return region::Reader::open(region_object_name(id_), instance_owner(id_));
}

Wake DaemonWatch::await_wake(std::optional<Instant> until, int output) {
  pollfd waited[] = {{sleeper_ ? sleeper_->changes.get() : -1, POLLIN, 0},
                     {names_.get(), POLLIN, 0},
                     {keeper_gone_ ? -1 : keeper_.get(), POLLIN, 0},
                     {output, 0, 0}};  // nothing but its end
  int ready = 0;
  do {
    ready = poll(waited, std::size(waited), poll_timeout(until));
  } while (ready < 0 && errno == EINTR);
  if (sleeper_) drain(sleeper_->changes.get());
  if (names_) drain(names_.get());
  if (waited[2].revents != 0) keeper_gone_ = true;
  if (waited[3].revents != 0) return Wake::unread;
  return ready > 0 ? Wake::changed : Wake::timed_out;
}

std::optional<Wake> DaemonWatch::end_of_daemon() {
  const uint32_t phase = reader_.header().phase;
  if (phase == FOSTER_PHASE_DOWN) return Wake::ended;
  if (keeper_gone_) return phase == FOSTER_PHASE_STOPPING ? Wake::ended : Wake::gone;
  return std::nullopt;
}

std::optional<Wake> DaemonWatch::verdict() {
  std::optional<Wake> end = end_of_daemon();
  if (!end) {
    const Result<bool> exchanged = reader_.refresh();
    if (exchanged && !*exchanged) return std::nullopt;
    if (exchanged) {
      begin();
      return Wake::changed;
    }
    end = Wake::gone;
  }
  // What was written between the caller's last look and the end is still there to be seen.
  return std::exchange(last_look_given_, true) ? *end : Wake::changed;
}

Wake DaemonWatch::sleep(std::optional<Instant> until, int output) {
  if (const std::optional<Wake> wake = verdict()) return *wake;
  return await_wake(until, output);
}

Result<Wake> DaemonWatch::await_successor(int output) {
  names_ = watch_names();
  if (!names_) return system_failure("watch for a new daemon", errno);
  for (;;) {
    // An error means that there is no object, or none of a daemon's: the next name may be it.
    const Result<bool> exchanged = reader_.refresh();
    if (exchanged && reader_.keeper(now_since_boot()) != region::Liveness::dead) break;
    if (await_wake(std::nullopt, output) == Wake::unread) return Wake::unread;
  }
  begin();
  return Wake::changed;
}

}  // namespace foster::ctl
