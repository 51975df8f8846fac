// foster's D-Bus interface (common/bus_api.hpp) on the private socket: one sd-bus connection per
// client, no bus daemon between. A call is decoded into an event and queued; the answer follows
// once the core has taken it and the region shows it. Clients are judged by the kernel's word on
// who connected (SO_PEERCRED, unix(7)): root and the daemon's own user may change things, everyone
// may ask for the version and for what is held for a unit.
//
// A message is gathered in the manager's memory until it is whole, and may be large: so others
// have few connections, and those not for long.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <sys/socket.h>
#include <sys/types.h>
#include <unordered_map>
#include <vector>

#include <systemd/sd-bus.h>
#include <systemd/sd-event.h>

#include "common/ipc/unique_fd.hpp"
#include "common/result.hpp"
#include "common/unit/unit_set.hpp"
#include "daemon/core/action.hpp"
#include "daemon/core/event.hpp"
#include "daemon/manager/bus_caller.hpp"
#include "daemon/manager/bus_descriptors.hpp"
#include "daemon/manager/control_door.hpp"

namespace foster::manager {

enum class SettingVerb : uint8_t { enable, disable, mask, unmask };

/// What the server asks of the manager. What comes with a Done takes its time, and is answered when
/// that is called.
struct BusShell {
  using Done = std::function<void(Result<void>)>;

  pid_t keeper = 0;                    // whose end tells that a shutdown is complete
  std::vector<std::string> templates;  // their names without the @
  Descriptors* descriptors = nullptr;  // borrowed
  std::function<bool(const std::string& name, int fd)> store_above;
  std::function<void(core::Event)> queue;
  std::function<bool()> shutting_down;
  std::function<void(SettingVerb, const std::vector<UnitIndex>&, Done)> set;
  std::function<void(Done)> load;
  std::function<void(const std::string&, uint32_t, Done)> scale;
};

class BusServer {
 public:
  BusServer(std::shared_ptr<const UnitSet> set, BusShell shell);
  ~BusServer();
  BusServer(const BusServer&) = delete;
  BusServer& operator=(const BusServer&) = delete;

  Result<void> attach(sd_event* loop, UniqueFd listening);

  /// The core's answer to a queued request.
  void answer(const core::Reply& reply);

  /// At the end of a turn: sends the answers to what it recorded, and frees the connections that
  /// are closed.
  void turn_ended();

  /// At the end of the daemon. Answers were written when they were given; nothing is waited for.
  void close();

 private:
  struct Client;
  struct Methods;  // the vtable's handlers
  using Message = BusMessage;

  Result<void> welcome(UniqueFd connection, const ucred& peer);
  [[nodiscard]] Result<void> admit(const ucred& peer) const;
  int open_bus(Client& client, UniqueFd connection);
  [[nodiscard]] bool leave_out_connections(std::vector<UnitIndex>& units) const;
  Result<std::vector<UnitIndex>> units_named(const std::vector<std::string>& patterns) const;
  [[nodiscard]] std::string names_of(const std::vector<UnitIndex>& units) const;
  BusShell::Done answer_later(sd_bus_message* call, std::vector<UnitIndex> units);
  void answer_now(sd_bus_message* call, const std::vector<UnitIndex>& units,
                  const Result<void>& outcome);

  std::shared_ptr<const UnitSet> set_;
  BusShell shell_;
  sd_event* loop_ = nullptr;  // borrowed
  ControlDoor door_;
  BusDescriptors descriptors_;
  std::vector<std::unique_ptr<Client>> clients_;
  uint64_t last_token_ = 0;
  std::unordered_map<uint64_t, Message> waiting_;  // by token
  std::vector<Message> shutdowns_;                 // to be answered at the end of the turn
  std::vector<Message> answers_;                   // to be sent at the end of the turn
};

}  // namespace foster::manager
