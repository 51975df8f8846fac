// What the units have of descriptors: their sockets, what was passed to them, what they have
// stored, what the daemon itself was given for them. Each is held by the keeper under a name that
// says all that a successor has to know of it (held_name.hpp), so that a crash of the manager, or
// an upgrade, loses none.
//
// Sockets are opened when their unit is first to be spawned or comes to `listening`, and closed
// once it is at rest and not wanted up, or has failed. While a unit is `listening` they are
// watched.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <systemd/sd-event.h>

#include "common/ids.hpp"
#include "common/ipc/unique_fd.hpp"
#include "common/result.hpp"
#include "daemon/core/event.hpp"
#include "daemon/core/supervisor.hpp"
#include "daemon/manager/keeper_client.hpp"
#include "daemon/manager/spawn_extras.hpp"

namespace foster::manager {

enum class Origin : uint8_t { socket, passed, stored, inherited };

/// "socket", "passed", ...
[[nodiscard]] const char* origin_text(Origin origin);

/// For `fosterctl fds`.
struct HeldView {
  Origin origin = Origin::socket;
  std::string name;
  std::string what;  // descriptor_text
  int64_t since_real_ns = 0;
  std::string from;  // "uid 0, process 17"; empty: foster itself
};

/// For the status region.
struct HeldCounts {
  uint16_t sockets = 0;
  uint16_t others = 0;
  uint16_t ports[4] = {};
};

class Descriptors {
 public:
  Descriptors(KeeperClient& keeper, const core::Supervisor& core,
              std::function<void(core::Event)> queue,
              std::function<void(UnitIndex)> counts_changed);
  ~Descriptors();
  Descriptors(const Descriptors&) = delete;
  Descriptors& operator=(const Descriptors&) = delete;

  /// Takes those of `kept` that are units': what a former manager left with the keeper. Those of
  /// units that are no more are dropped. `inherited`: what the daemon was given by $LISTEN_FDS,
  /// at its very start.
  Result<void> attach(sd_event* loop, std::vector<HandedDescriptor>& kept,
                      std::vector<HandedDescriptor> inherited);

  /// LISTEN_FDS, LISTEN_FDNAMES, LISTEN_PID and FOSTER_RECEIVE_FD with their descriptors, for a
  /// main process or its successor. Opens the unit's sockets where they are not open. In this
  /// order: sockets, passed, stored.
  Result<void> add_to(SpawnExtras& extras, const core::Spawn& spawn);

  /// After each publish, for a unit that has changed and has sockets or anything held: opens,
  /// watches, closes, drops, by its state.
  void unit_changed(UnitIndex unit);

  /// FDSTORE=1: of the service itself. `poll`: dropped when it hangs up (FDPOLL). Refusals are
  /// logged. The same open file under the same name is stored once.
  void store(UnitIndex unit, std::string_view name, std::vector<UniqueFd> fds, bool poll);
  /// FDSTOREREMOVE=1.
  void store_remove(UnitIndex unit, std::string_view name);

  /// fosterctl pass. True: the running process has it now.
  Result<bool> pass(UnitIndex unit, std::string_view name, std::string_view from, UniqueFd fd);
  [[nodiscard]] std::vector<HeldView> list(UnitIndex unit) const;
  /// How many were dropped; sockets of the unit's own are not among them.
  uint32_t drop(UnitIndex unit, std::string_view name);
  /// A copy of the first of that name.
  Result<UniqueFd> take(UnitIndex unit, std::string_view name);
  [[nodiscard]] HeldCounts counts(UnitIndex unit) const;

 private:
  struct Unit;
  std::unique_ptr<Unit> placeholder_;
};

}  // namespace foster::manager
