#include "daemon/manager/acceptor.hpp"

#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

#include "common/listen/socket_address.hpp"
#include "common/unit/connection_units.hpp"
#include "common/unit/unit_name.hpp"
#include "daemon/manager/descriptors.hpp"
#include "daemon/manager/log.hpp"
#include "daemon/manager/process_tree.hpp"

namespace foster::manager {
namespace {

constexpr Duration kBetweenComplaints = std::chrono::seconds(10);
constexpr int kAcceptedAtOnce = 64;  // then others have their turn

constexpr std::string_view kAddress = "REMOTE_ADDR";
constexpr std::string_view kPort = "REMOTE_PORT";
constexpr std::string_view kUser = "REMOTE_UID";

std::string user_source(std::string_view uid) {
  return "user " + std::string(uid);
}

std::optional<uid_t> peer_user(int connection) {
  ucred peer{};
  socklen_t size = sizeof peer;
  const bool local = local_address(connection).family() == AF_UNIX;
  if (!local || getsockopt(connection, SOL_SOCKET, SO_PEERCRED, &peer, &size) != 0)
    return std::nullopt;
  return peer.uid;
}

std::string source_of(int connection) {
  if (const auto user = peer_user(connection)) return user_source(std::to_string(*user));
  return host_text(peer_address(connection));
}

/// Of a process that has taken its connection already: what it was told.
std::string source_of_process(int32_t pid) {
  const InitialEnvironment environment(pid);
  if (const auto uid = environment.value(kUser)) return user_source(*uid);
  return environment.value(kAddress).value_or("");
}

/// Whoever shares the socket may have it block again (fcntl(2)).
void set_nonblocking(int fd) {
  const int flags = fcntl(fd, F_GETFL);
  if ((flags & O_NONBLOCK) == 0) fcntl(fd, F_SETFL, flags | O_NONBLOCK);
}

bool something_waits(int fd) {
  pollfd asked{fd, POLLIN, 0};
  return poll(&asked, 1, 0) == 1;
}

bool transient(int error) {
  return error == EINTR || error == ECONNABORTED || error == EPROTO || error == EPERM;
}

}  // namespace

Acceptor::Acceptor(const core::Supervisor& core, Descriptors& descriptors,
                   std::function<void(core::Event)> queue)
    : core_(core), descriptors_(descriptors), queue_(std::move(queue)) {}

void Acceptor::resume() {
  for (uint32_t i = 0; i < core_.set().size(); ++i)
    if (serves_connections(core_.set()[{i}])) resume_instance({i});
}

void Acceptor::resume_instance(UnitIndex instance) {
  const core::UnitRecord& record = core_.record(instance);
  const bool idle = core::at_rest(record.state);
  if (const auto connection = descriptors_.take(instance, kConnectionName)) {
    busy_[instance.value] = {.source = source_of(connection->get())};
    // The process may have it already: the former manager did not come to let go of it.
    return idle ? start(instance) : instance_changed(instance);
  }
  if (!idle) busy_[instance.value] = {.source = source_of_process(record.pid), .handed_over = true};
}

void Acceptor::connection_came(UnitIndex listener, const SocketSpec& socket, int fd) {
  if (!spare_) spare_.reset(open("/dev/null", O_RDONLY | O_CLOEXEC));
  set_nonblocking(fd);
  for (int i = 0; i < kAcceptedAtOnce && something_waits(fd); ++i) {
    UniqueFd connection(accept4(fd, nullptr, nullptr, SOCK_CLOEXEC));
    if (connection) {
      serve(listener, socket, std::move(connection));
    } else if (errno == EMFILE || errno == ENFILE) {
      return refuse_without_descriptor(listener, fd);
    } else if (!transient(errno)) {
      if (errno == EINVAL)
        return queue_(core::ListenFailed{
            listener, "cannot accept at " + socket.listen + ": somebody has shut the socket down"});
      if (errno != EAGAIN) refuse(listener, strerrordesc_np(errno), {});
      return;
    }
  }
}

void Acceptor::serve(UnitIndex listener, const SocketSpec& socket, UniqueFd connection) {
  std::string source = source_of(connection.get());
  const uint32_t most = socket.max_connections_per_source;
  if (most > 0 && busy_from(listener, source) >= most)
    return refuse(listener, "there are max-connections-per-source already", source);
  const bool room = busy_at(listener, socket) < socket.max_connections;
  const std::optional<UnitIndex> instance = room ? free_instance(listener) : std::nullopt;
  if (!instance) return refuse(listener, "there are max-connections already", source);
  const std::string from =
      peer_user(connection.get()) ? source : address_text(peer_address(connection.get()));
  const auto given = descriptors_.pass(*instance, kConnectionName, from, std::move(connection));
  if (!given) return refuse(listener, given.error().message, source);
  busy_[instance->value] = {std::move(source), false, &socket};
  start(*instance);
}

void Acceptor::start(UnitIndex instance) {
  queue_(core::Request{.token = 0, .verb = core::Verb::start, .units = {instance}});
}

void Acceptor::instance_changed(UnitIndex instance) {
  const auto found = busy_.find(instance.value);
  if (found == busy_.end()) return;
  const core::UnitRecord& record = core_.record(instance);
  const bool over = core::at_rest(record.state);
  // Each command of a oneshot has it.
  const bool has_it = record.pid > 0 && core_.set()[instance].more_commands.empty();
  if (!over && !has_it) return;
  if (!std::exchange(found->second.handed_over, true)) descriptors_.drop(instance, kConnectionName);
  if (!over) return;
  busy_.erase(found);
  // It would be started for nobody, once what it needs is there again.
  const bool comes_back = record.state == core::UnitState::failed &&
                          record.cause == core::Cause::dependency && record.goal == core::Goal::up;
  if (comes_back) queue_(core::Request{.token = 0, .verb = core::Verb::stop, .units = {instance}});
}

void Acceptor::add_to(Environment& environment, int connection) const {
  if (const auto user = peer_user(connection)) {
    environment.emplace_back(kUser, std::to_string(*user));
    return;
  }
  const SocketAddress peer = peer_address(connection);
  environment.emplace_back(kAddress, host_text(peer));
  environment.emplace_back(kPort, std::to_string(port_of(peer)));
}

const std::vector<UnitIndex>& Acceptor::instances_of(UnitIndex listener) {
  const auto [found, fresh] = instances_.try_emplace(listener.value);
  if (!fresh) return found->second;
  const UnitSet& set = core_.set();
  // They stand behind the listener, whose name is the beginning of theirs.
  for (uint32_t i = listener.value + 1; i < set.size(); ++i) {
    if (template_of(set[{i}].name) != set[listener].name) break;
    if (serves_connections(set[{i}])) found->second.push_back({i});
  }
  std::ranges::stable_sort(found->second, {},
                           [&](UnitIndex unit) { return set[unit].name.size(); });
  return found->second;
}

std::optional<UnitIndex> Acceptor::free_instance(UnitIndex listener) {
  uint32_t left = connections_max(core_.set()[listener]);
  for (const UnitIndex instance : instances_of(listener)) {
    if (left-- == 0) break;
    const core::UnitRecord& record = core_.record(instance);
    if (core::at_rest(record.state) && !record.masked && !busy_.contains(instance.value))
      return instance;
  }
  return std::nullopt;
}

uint32_t Acceptor::busy_from(UnitIndex listener, const std::string& source) {
  return static_cast<uint32_t>(
      std::ranges::count_if(instances_of(listener), [&](UnitIndex instance) {
        const auto found = busy_.find(instance.value);
        if (found == busy_.end()) return false;
        // A process that was just being executed had no environment to tell it.
        if (found->second.source.empty())
          found->second.source = source_of_process(core_.record(instance).pid);
        return found->second.source == source;
      }));
}

uint32_t Acceptor::busy_at(UnitIndex listener, const SocketSpec& socket) {
  const bool alone = sockets_of(core_.set()[listener]).size() == 1;
  return static_cast<uint32_t>(
      std::ranges::count_if(instances_of(listener), [&](UnitIndex instance) {
        const auto found = busy_.find(instance.value);
        return found != busy_.end() && (alone || found->second.socket == &socket);
      }));
}

void Acceptor::refuse(UnitIndex listener, std::string_view why, const std::string& source) {
  Refusals& refusals = refusals_[listener.value];
  ++refusals.count;
  const Instant now = now_since_boot();
  if (refusals.told.ns != 0 && now - refusals.told < kBetweenComplaints) return;
  log(Level::warning, "connections are refused",
      {{"unit", core_.set()[listener].name},
       {"why", why},
       {"from", source},
       {"count", refusals.count}});
  refusals = {now, 0};
}

void Acceptor::refuse_without_descriptor(UnitIndex listener, int fd) {
  const int error = errno;
  spare_.reset();
  UniqueFd(accept4(fd, nullptr, nullptr, SOCK_CLOEXEC)).reset();
  refuse(listener, strerrordesc_np(error), {});
}

}  // namespace foster::manager
