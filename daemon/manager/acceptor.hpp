// Accepts the connections of units whose sockets say `accept`, and gives each to an instance that
// is free, which is then started (common/unit/connection_units.hpp). The connection is held like a
// descriptor that was passed to the instance, so that a crash of the manager loses none but one
// that it has not given to the keeper yet; once the instance's process has it, it is the process's
// alone, and ends when that closes it.
//
// What comes when all instances are busy, or from a source that has its share, is accepted and
// closed at once: the client knows where it stands, and the socket does not stay ready for ever.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "common/ids.hpp"
#include "common/instant.hpp"
#include "common/ipc/unique_fd.hpp"
#include "common/result.hpp"
#include "common/unit/unit_spec.hpp"
#include "daemon/core/event.hpp"
#include "daemon/core/supervisor.hpp"
#include "daemon/manager/environment.hpp"

namespace foster::manager {

class Descriptors;

inline constexpr std::string_view kConnectionName = "connection";  // its FDNAME

class Acceptor {
 public:
  Acceptor(const core::Supervisor& core, Descriptors& descriptors,
           std::function<void(core::Event)> queue);

  /// Once the core has recovered: knows the busy instances again, and starts those whose connection
  /// a former manager had accepted.
  void resume();

  /// Something came to the socket.
  void connection_came(UnitIndex listener, const SocketSpec& socket, int fd);

  /// An instance that is started, has ended, or will not be started after all.
  void instance_changed(UnitIndex instance);

  /// $REMOTE_ADDR and $REMOTE_PORT, or $REMOTE_UID, for a process that is given the connection.
  void add_to(Environment& environment, int connection) const;

 private:
  /// A connection that an instance is there for.
  struct Busy {
    std::string source;                  // an address without a port, or a user
    bool handed_over = false;            // the process has it, and foster no more
    const SocketSpec* socket = nullptr;  // that it came to; null: a former manager knew
  };
  struct Refusals {
    Instant told;
    uint64_t count = 0;  // since then
  };

  void serve(UnitIndex listener, const SocketSpec& socket, UniqueFd connection);
  void start(UnitIndex instance);
  void resume_instance(UnitIndex instance);
  [[nodiscard]] const std::vector<UnitIndex>& instances_of(UnitIndex listener);
  [[nodiscard]] std::optional<UnitIndex> free_instance(UnitIndex listener);
  [[nodiscard]] uint32_t busy_from(UnitIndex listener, const std::string& source);
  /// With one socket all there are; with several those that this manager has accepted, so that
  /// after a crash it is their sum alone that is kept to for a while.
  [[nodiscard]] uint32_t busy_at(UnitIndex listener, const SocketSpec& socket);
  void refuse(UnitIndex listener, std::string_view why, const std::string& source);
  void refuse_without_descriptor(UnitIndex listener, int fd);

  const core::Supervisor& core_;
  Descriptors& descriptors_;
  std::function<void(core::Event)> queue_;
  std::unordered_map<uint32_t, std::vector<UnitIndex>> instances_;  // by listener, once asked for
  std::unordered_map<uint32_t, Busy> busy_;                         // by instance
  std::unordered_map<uint32_t, Refusals> refusals_;                 // by listener
  UniqueFd spare_;  // given up for a moment to accept, and close, when there are no more
};

}  // namespace foster::manager
