// What the units have of descriptors: their sockets, what was passed to them, what they have
// stored, what the daemon itself was given for them. Each is held by the keeper under a name that
// says all that a successor has to know of it (held_name.hpp), so that a crash of the manager, or
// an upgrade, loses none.
//
// Sockets are opened when their unit is first to be spawned or comes to `listening`, and closed
// once it is at rest and not wanted up, or nothing will start it again by itself. While a unit is
// `listening` they are watched. One that is not any more what the unit file asks for, because its
// file is gone or somebody has shut it down, is replaced before it is handed on. One that the
// daemon inherited under a socket's name is taken in its place, if it is what the unit file asks
// for; it is never closed. What is handed up is from then on as if it had been inherited.
//
// A socket that the unit file has ceased to ask for while a process of the unit has it stays until
// the unit has none: `former`.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include <systemd/sd-event.h>

#include "common/ids.hpp"
#include "common/ipc/unique_fd.hpp"
#include "common/region/layout.h"
#include "common/result.hpp"
#include "daemon/core/event.hpp"
#include "daemon/core/supervisor.hpp"
#include "daemon/manager/acceptor.hpp"
#include "daemon/manager/held_name.hpp"
#include "daemon/manager/held_table.hpp"
#include "daemon/manager/keeper_client.hpp"
#include "daemon/manager/live_channel.hpp"
#include "daemon/manager/spawn_extras.hpp"

namespace foster::manager {

/// For `fosterctl fds`.
struct HeldView {
  Origin origin = Origin::socket;
  std::string name;
  std::string what;  // descriptor_text
  int64_t since_real_ns = 0;
  std::string from;  // "uid 0"; empty: foster itself
};

/// For the status region.
struct HeldCounts {
  uint16_t sockets = 0;                        // of [[socket]], open
  uint16_t others = 0;                         // stored, passed
  std::array<uint16_t, FOSTER_PORTS> ports{};  // of its first sockets, as bound; 0: closed, or none
};

class Descriptors {
 public:
  Descriptors(KeeperClient& keeper, const core::Supervisor& core,
              std::function<void(core::Event)> queue,
              std::function<void(UnitIndex)> counts_changed);
  ~Descriptors();
  Descriptors(const Descriptors&) = delete;
  Descriptors& operator=(const Descriptors&) = delete;

  /// Takes those of `kept` that are units': what a former manager left with the keeper, and what
  /// the daemon was given by $LISTEN_FDS at its very start. Those of units that are no more are
  /// dropped.
  void attach(sd_event* loop, std::vector<HandedDescriptor>& kept);
  /// Once the core has recovered: goes on as the units' states want it.
  void resume();

  /// LISTEN_FDS, LISTEN_FDNAMES, LISTEN_PID and FOSTER_RECEIVE_FD with their descriptors, for a
  /// main process or its successor. Opens the unit's sockets where they are not open. In this
  /// order: sockets, passed, stored.
  Result<void> add_to(SpawnExtras& extras, const core::Spawn& spawn);

  /// For the units that have changed, before that is published: opens, watches, closes, drops, by
  /// their state. What comes of a unit that is to listen is queued: Listening or ListenFailed.
  void units_changed(std::span<const UnitIndex> units);

  /// FDSTORE=1: of the service itself. `poll`: dropped when it hangs up (FDPOLL). Refusals are
  /// logged. The same open file under the same name is stored once.
  void store(UnitIndex unit, std::string_view name, std::vector<UniqueFd> fds, bool poll);
  /// FDSTOREREMOVE=1.
  void store_remove(UnitIndex unit, std::string_view name);

  /// fosterctl pass. True: the running process has it now. system_error of a refusal: EMFILE, there
  /// are too many; EINVAL, the name is none.
  Result<bool> pass(UnitIndex unit, std::string_view name, std::string_view from, UniqueFd fd);
  [[nodiscard]] std::vector<HeldView> list(UnitIndex unit) const;
  /// The supervisor above has the unit's own sockets of that name: they are not to be closed any
  /// more, nor their files removed.
  void handed_up(UnitIndex unit, std::string_view name);
  /// How many were dropped; sockets of the unit's own are not among them.
  uint32_t drop(UnitIndex unit, std::string_view name);
  /// The unit's own sockets of that name; borrowed.
  [[nodiscard]] std::vector<int> own_sockets(UnitIndex unit, std::string_view name) const;
  /// A copy of the first of that name; system_error ENOENT: there is none.
  [[nodiscard]] Result<UniqueFd> take(UnitIndex unit, std::string_view name) const;
  [[nodiscard]] HeldCounts counts(UnitIndex unit) const;

 private:
  static int connection_came(sd_event_source* source, int fd, uint32_t events, void* held);
  static int hung_up(sd_event_source* source, int fd, uint32_t events, void* held);

  void restore(HandedDescriptor& handed);
  void adopt_by_address(UnitIndex unit);
  [[nodiscard]] int fitting_socket(UnitIndex unit, const std::string* name, int fd) const;
  void tell_unclaimed() const;
  [[nodiscard]] std::string why_unclaimed(const Held& held) const;
  [[nodiscard]] const Held* socket_of(UnitIndex unit, int socket) const;
  /// Sockets, passed, stored; each kind in its own order. Before them what the daemon was given,
  /// where that is the unit's.
  [[nodiscard]] std::vector<Held*> in_order(UnitIndex unit) const;
  void add_connection(SpawnExtras& extras, UnitIndex unit) const;
  Result<void> add_live(SpawnExtras& extras, const core::Spawn& spawn);
  void close_what_is_over(UnitIndex unit);
  Result<void> open_sockets(UnitIndex unit);
  Result<void> open_one(UnitIndex unit, int socket);
  bool claim_inherited(UnitIndex unit, int socket);
  void claim_inherited(UnitIndex unit);
  void close_sockets(UnitIndex unit);
  void remove_file(const Held& held) const;
  /// Whether there was any.
  bool close_former(UnitIndex unit);
  void close_unfit(UnitIndex unit);
  void let_go(Held& held);
  void mark_given(UnitIndex unit);
  void drop_stale(UnitIndex unit);
  void drop_given(UnitIndex unit);
  void listen(UnitIndex unit);
  Result<void> watch(UnitIndex unit);
  void unwatch(UnitIndex unit);
  void poll(Held& held);
  [[nodiscard]] Result<Held*> keep(UnitIndex unit, HeldName what, UniqueFd fd);
  void refuse(UnitIndex unit, std::string_view why);

  KeeperClient& keeper_;
  const core::Supervisor& core_;
  std::function<void(core::Event)> queue_;
  std::function<void(UnitIndex)> counts_changed_;
  sd_event* loop_ = nullptr;
  HeldTable table_;
  std::vector<std::unique_ptr<Held>> inherited_;  // that no socket of a unit has taken
  LiveChannels live_;
  Acceptor acceptor_;
  std::unordered_map<uint32_t, Instant> complained_;  // of what units could not store, and when
};

}  // namespace foster::manager
