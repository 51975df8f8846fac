#include "daemon/keeper/commands.hpp"

#include <cerrno>
#include <csignal>
#include <cstddef>
#include <cstdlib>
#include <cstring>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>
#include <utility>

#include "common/ipc/fd_passing.hpp"
#include "daemon/keeper/adoption.hpp"
#include "daemon/keeper/environment.hpp"
#include "daemon/keeper/log.hpp"
#include "daemon/keeper/manager_link.hpp"
#include "daemon/keeper/reaper.hpp"
#include "daemon/keeper/spawn.hpp"

namespace foster::keeper {
namespace {

using protocol::KillScope;
using protocol::Type;

/// A record's body as a struct, when the sizes match.
template <class Body>
bool read_body(const ipc::Record& record, Body& body) {
  if (record.size != sizeof body) return false;
  std::memcpy(&body, record.body, sizeof body);
  return true;
}

int kill_group(const ChildEntry& child, int signal, bool main_lives) {
  if (kill(-child.group, signal) == 0) return 0;
  // A child just forked has not made its group yet, and has no children of its own either.
  if (errno == ESRCH && main_lives) return kill(child.pid, signal) == 0 ? 0 : errno;
  return errno;
}

bool continuing_helps(int signal) {
  return signal != SIGKILL && signal != SIGSTOP && signal != SIGCONT;
}

bool kill_asked(Keeper& keeper, const ipc::Record& record) {
  protocol::Kill order;
  if (!read_body(record, order) || order.scope > KillScope::group) return false;
  ChildEntry* child = keeper.children.by_attempt(order.attempt);
  if (child == nullptr) {
    log(Level::warning, "signal for an unknown attempt dropped attempt=%llu signal=%d",
        static_cast<unsigned long long>(order.attempt), order.signal);
    return true;
  }
  const int error =
      kill_attempt(keeper, *child, order.signal, order.scope, order.with_continue != 0);
  if (error == ESRCH && order.scope == KillScope::group && child->phase == ChildPhase::over &&
      (child->happened & kExitedNews) != 0) {
    keeper.children.announce(*child, kGroupEmptiedNews);
  } else if (error != 0) {
    child->kill_signal = static_cast<uint8_t>(order.signal);
    child->kill_error = static_cast<uint16_t>(error);
    keeper.children.announce(*child, kKillFailedNews);
  }
  return true;
}

bool acknowledged(Keeper& keeper, const ipc::Record& record) {
  protocol::Acknowledge order;
  if (!read_body(record, order)) return false;
  ChildEntry* child = keeper.children.by_attempt(order.attempt);
  if (child == nullptr) return true;  // a manager's predecessor has done it before
  const bool given_up = order.abandon != 0 && child->phase == ChildPhase::lingering;
  if (child->phase == ChildPhase::over || given_up) {
    keeper.children.remove(*child);
  } else {
    log(Level::error, "acknowledgement of an attempt that is not over dropped attempt=%llu",
        static_cast<unsigned long long>(order.attempt));
  }
  return true;
}

bool store_asked(Keeper& keeper, const ipc::Record& record) {
  protocol::StoredDescriptor name;
  if (!read_body(record, name) || record.fd_count != 1) return false;
  const int error = keeper.store.put(name, keeper.manager.in.take_fd(0));
  if (error != 0)
    log(Level::error, "cannot keep a descriptor: %s name=%.511s", strerrordesc_np(error),
        name.name);
  return true;
}

bool drop_asked(Keeper& keeper, const ipc::Record& record) {
  protocol::StoredDescriptor name;
  if (!read_body(record, name)) return false;
  keeper.store.drop(name);
  return true;
}

void spawn_asked(Keeper& keeper, const ipc::Record& record) {
  const PassedFds passed(keeper.manager.in, 0, record.fd_count);
  spawn(keeper, record.body, record.size, passed);
}

bool memfd_spawn_asked(Keeper& keeper, const ipc::Record& record) {
  protocol::SpawnInMemfd order;
  if (!read_body(record, order) || record.fd_count == 0) return false;
  UniqueFd memfd = keeper.manager.in.take_fd(0);
  const PassedFds passed(keeper.manager.in, 1, record.fd_count);
  spawn_from_memfd(keeper, order.attempt, std::move(memfd), passed);
  return true;
}

bool adopt_asked(Keeper& keeper, const ipc::Record& record) {
  protocol::Adopt order;
  if (!read_body(record, order)) return false;
  adopt(keeper, order);
  return true;
}

/// `rights` has room for one.
/// sd_notify(3) from here, because systemd takes the main process's word (NotifyAccess=main).
void notify_supervisor(Keeper& keeper, const ipc::Record& record) {
  const char* path = environment_value(keeper.envp, "NOTIFY_SOCKET");
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path == nullptr || (path[0] != '/' && path[0] != '@')) return;
  const size_t length = std::strlen(path);
  if (length < 2 || length >= sizeof address.sun_path) return;
  std::memcpy(address.sun_path, path, length);
  if (path[0] == '@') address.sun_path[0] = '\0';
  const UniqueFd socket_fd(socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  const auto address_size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + length);
  iovec text{const_cast<unsigned char*>(record.body), record.size};
  ipc::RightsRoom<1> room;
  msghdr message{};
  message.msg_name = &address;
  message.msg_namelen = address_size;
  message.msg_iov = &text;
  message.msg_iovlen = 1;
  const UniqueFd passed = record.fd_count > 0 ? keeper.manager.in.take_fd(0) : UniqueFd();
  const int fd = passed.get();
  if (passed) ipc::attach_rights(message, room.bytes, &fd, 1);
  if (sendmsg(socket_fd.get(), &message, MSG_NOSIGNAL | MSG_DONTWAIT) < 0)
    log(Level::warning, "cannot notify the supervisor: %s", strerrordesc_np(errno));
}

bool taken(Keeper& keeper, const ipc::Record& record) {
  protocol::SignalNumber order;
  if (!read_body(record, order)) return false;
  signal_taken(keeper, order.signal);
  return true;
}

bool finish_asked(Keeper& keeper, const ipc::Record& record) {
  protocol::Finish order;
  if (!read_body(record, order)) return false;
  keeper.finish_asked = true;
  keeper.finish_code = order.exit_code;
  return true;
}

bool barrier_asked(Keeper& keeper, const ipc::Record& record) {
  if (record.fd_count != 1) return false;
  static_cast<void>(keeper.manager.in.take_fd(0));
  return true;
}

/// False for a record that makes no sense.
bool obey(Keeper& keeper, const ipc::Record& record) {
  switch (static_cast<Type>(record.type)) {
    case Type::ready:
      manager_ready(keeper);
      return true;
    case Type::spawn:
      spawn_asked(keeper, record);
      return true;
    case Type::spawn_in_memfd:
      return memfd_spawn_asked(keeper, record);
    case Type::kill:
      return kill_asked(keeper, record);
    case Type::acknowledge:
      return acknowledged(keeper, record);
    case Type::store_descriptor:
      return store_asked(keeper, record);
    case Type::drop_descriptor:
      return drop_asked(keeper, record);
    case Type::notify_supervisor:
      notify_supervisor(keeper, record);
      return true;
    case Type::signal_taken:
      return taken(keeper, record);
    case Type::finish:
      return finish_asked(keeper, record);
    case Type::adopt:
      return adopt_asked(keeper, record);
    case Type::again:
      manager_goes(keeper);
      return true;
    case Type::barrier:
      return barrier_asked(keeper, record);
    case Type::handover_begin:
    case Type::child:
    case Type::stored_descriptor:
    case Type::handover_end:
    case Type::spawned:
    case Type::spawn_failed:
    case Type::exited:
    case Type::group_emptied:
    case Type::kill_failed:
    case Type::signal_received:
    case Type::adopt_failed:
      return false;  // the keeper's own words
  }
  return false;
}

}  // namespace

int kill_attempt(Keeper& keeper, ChildEntry& child, int signal, KillScope scope,
                 bool with_continue) {
  const bool main_lives = child.pid != 0 && child.phase < ChildPhase::lingering;
  if (!main_lives) {
    if (scope == KillScope::main || child.phase != ChildPhase::lingering) return ESRCH;
    if (!group_remains(keeper, child)) return 0;  // group_emptied is the answer
  }
  if (main_lives && child.adopted) child.group = getpgid(child.pid);
  const bool whole_group = scope == KillScope::group;
  const int error = whole_group                    ? kill_group(child, signal, main_lives)
                    : kill(child.pid, signal) == 0 ? 0
                                                   : errno;
  if (error != 0) return error;
  child.last_signal = signal;
  if (!with_continue || !continuing_helps(signal)) return 0;
  if (whole_group)
    kill_group(child, SIGCONT, main_lives);
  else
    kill(child.pid, SIGCONT);
  return 0;
}

Reading take_commands(Keeper& keeper) {
  ManagerLink& manager = keeper.manager;
  switch (manager.in.receive(manager.channel.get(), true)) {
    case ipc::PacketReader::Outcome::packet:
      break;
    case ipc::PacketReader::Outcome::nothing:
      return Reading::nothing;
    case ipc::PacketReader::Outcome::closed:
      return Reading::over;
    case ipc::PacketReader::Outcome::malformed:
      log(Level::error, "malformed packet from the manager dropped");
      return Reading::done;
    case ipc::PacketReader::Outcome::failed:
      log(Level::error, "cannot read from the manager: %s", strerrordesc_np(manager.in.error()));
      return Reading::over;
  }
  ipc::Record record;
  while (manager.in.next(record))
    if (!obey(keeper, record))
      log(Level::error, "malformed record from the manager dropped type=%u size=%zu", record.type,
          record.size);
  return Reading::done;
}

}  // namespace foster::keeper
