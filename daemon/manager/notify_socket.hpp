// The sockets behind $NOTIFY_SOCKET, one for each unit that uses one, in <runtime dir>/notify.
//
// A message stays in the kernel's queue until what it says has been handled and published: it is
// peeked at (MSG_PEEK), becomes an event, and is taken away when the turn ends. So a manager that
// dies in between loses none; its successor finds the socket with the keeper and at worst hears
// the same thing twice, which says nothing new. At most one message a socket and turn, so that one
// that is flooded holds up nobody but its own senders. And BARRIER=1 needs no more than this: the
// descriptor that comes with it stays in the queue too, and closes with the message. Descriptors of
// a message enter the manager only where a sender who counts says that they are to be stored.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include <systemd/sd-event.h>

#include "common/ids.hpp"
#include "common/result.hpp"
#include "daemon/core/event.hpp"
#include "daemon/core/supervisor.hpp"
#include "daemon/manager/keeper_client.hpp"
#include "daemon/manager/notify_access.hpp"
#include "daemon/manager/notify_message.hpp"

namespace foster::manager {

/// What $NOTIFY_SOCKET says to the unit's processes. Short whatever the unit's name: a socket's
/// address has room for 107 bytes.
[[nodiscard]] std::string notify_socket_path(const std::string& runtime_dir,
                                             std::string_view unit_name);

class NotifySockets {
 public:
  /// Takes what a service wants to be stored, or dropped. Asked again after a crash, it does
  /// nothing a second time.
  using Keep = std::function<void(UnitIndex, const StoreWish&, std::vector<UniqueFd>)>;
  struct Surroundings {
    std::string runtime_dir;
    std::string instance;  // as FOSTER_INSTANCE tells the services
    std::function<void(core::Event)> queue;
    Keep keep;
  };
  NotifySockets(KeeperClient& keeper, const core::Supervisor& core, Surroundings surroundings);
  ~NotifySockets();
  NotifySockets(const NotifySockets&) = delete;
  NotifySockets& operator=(const NotifySockets&) = delete;

  /// Goes on with the sockets that a former manager left with the keeper; those of units that are
  /// no more are given up. `kept`: all that the keeper holds; the sockets are taken out of it.
  Result<void> attach(sd_event* loop, std::vector<HandedDescriptor>& kept);

  /// Before any process of the unit is spawned. Nothing for a unit that uses none, or has it.
  Result<void> open(UnitIndex unit);

  /// The end of the unit's main process is about to be queued: what it said before comes first.
  /// `pid`: its pid, which the core may not have been told yet.
  void drain(UnitIndex unit, Attempt attempt, int32_t pid);

  /// All that was queued has been handled and published.
  void turn_ended();

  /// Clears the files away, at the daemon's end.
  void remove();

 private:
  struct Socket;
  enum class Taken { message, nothing };

  static int message_arrived(sd_event_source* source, int fd, uint32_t events, void* socket);
  Result<Socket*> watch(UnitIndex unit, UniqueFd fd);
  Result<UniqueFd> bind_socket(const std::string& path) const;
  Taken look_at_next(Socket& socket, const core::UnitRecord& record);
  void judge(Socket& socket, const core::UnitRecord& record, std::string_view text, int32_t pid,
             uid_t uid);
  void admit(Socket& socket, const core::UnitRecord& record, std::string_view text,
             const Sender& sender);
  [[nodiscard]] bool believed(UnitIndex unit, const core::UnitRecord& record, const Sender& sender,
                              int32_t main_pid) const;
  [[nodiscard]] bool is_of_another(UnitIndex unit, int32_t pid) const;
  void keep(Socket& socket, const StoreWish& wish);
  void refuse(Socket& socket, int32_t pid, const char* why);
  [[nodiscard]] bool may_complain(Socket& socket) const;
  [[nodiscard]] bool trusts(const Socket& socket, uid_t uid) const;

  KeeperClient& keeper_;
  const core::Supervisor& core_;
  Surroundings around_;
  sd_event* loop_ = nullptr;
  std::unordered_map<uint32_t, std::unique_ptr<Socket>> sockets_;  // by unit
  std::vector<Socket*> busy_;  // looked at in this turn, or with a message that came too early
};

}  // namespace foster::manager
