#include "daemon/manager/control_door.hpp"

#include <fcntl.h>
#include <sys/epoll.h>

#include <cerrno>
#include <cstring>
#include <utility>

#include "daemon/manager/log.hpp"

namespace foster::manager {
namespace {

constexpr Duration kBetweenComplaints = std::chrono::seconds(10);

// Far beyond what clients do: for connections that can be neither accepted nor refused.
constexpr uint64_t kSecondUs = 1'000'000;
constexpr unsigned kWakesMax = 2000;

UniqueFd next_connection(const UniqueFd& listening) {
  return UniqueFd(accept4(listening.get(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK));
}

}  // namespace

Result<void> ControlDoor::attach(sd_event* loop, UniqueFd listening) {
  listening_ = std::move(listening);
  int r = sd_event_add_io(loop, &source_, listening_.get(), EPOLLIN, connection_arrived, this);
  if (r >= 0) r = sd_event_source_set_ratelimit(source_, kSecondUs, kWakesMax);
  if (r < 0) return system_failure("watch the control socket", -r);
  return {};
}

int ControlDoor::connection_arrived(sd_event_source*, int, uint32_t, void* self) {
  static_cast<ControlDoor*>(self)->accept_all();
  return 0;
}

void ControlDoor::accept_all() {
  for (;;) {
    if (!spare_) spare_.reset(open("/dev/null", O_RDONLY | O_CLOEXEC));
    UniqueFd connection = next_connection(listening_);
    const int error = connection ? 0 : errno;
    if (error == EAGAIN) return;
    if (error == EINTR || error == ECONNABORTED) continue;
    if (error == 0) {
      if (const auto taken = let_in(std::move(connection)); !taken) complain(taken.error().message);
      continue;
    }
    complain(strerrordesc_np(error));
    if (error != EMFILE && error != ENFILE) return;
    spare_.reset();
    if (!next_connection(listening_)) return;
  }
}

Result<void> ControlDoor::let_in(UniqueFd connection) {
  ucred peer{};
  socklen_t length = sizeof peer;
  if (getsockopt(connection.get(), SOL_SOCKET, SO_PEERCRED, &peer, &length) != 0)
    return system_failure("tell who connects", errno);
  return welcome_(std::move(connection), peer);
}

void ControlDoor::complain(const std::string& why) {
  ++refused_;
  const Instant now = now_since_boot();
  if (complained_.ns != 0 && now - complained_ < kBetweenComplaints) return;
  log(Level::warning, "connections to the control socket are refused",
      {{"why", why}, {"count", refused_}});
  complained_ = now;
  refused_ = 0;
}

}  // namespace foster::manager
