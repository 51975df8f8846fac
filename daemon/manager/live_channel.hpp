// The way on which a running service is handed descriptors: receive = "live". Each process of such
// a unit has the one end of a SOCK_SEQPACKET pair (socketpair(2), unix(7)), its number in
// $FOSTER_RECEIVE_FD; foster has the other.
//
// The format: one packet for each descriptor. Its bytes are the descriptor's name (FDNAME), without
// a NUL, at most kLiveNameMax of them; with it comes that one descriptor (SCM_RIGHTS). Nothing is
// answered, and what a service writes is refused (EPIPE). End of file: the daemon is gone.
//
// Foster's end is kept by the keeper, so that a manager that crashes interrupts nothing: what was
// sent stands in the socket's queue, what comes next is sent by its successor. A descriptor that
// was sent is held by foster all the same, and is among those of the next start; so a service that
// ends without having read it loses nothing either.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "common/ids.hpp"
#include "common/ipc/unique_fd.hpp"
#include "common/result.hpp"
#include "common/unit/unit_set.hpp"
#include "daemon/manager/keeper_client.hpp"

namespace foster::manager {

inline constexpr char kReceiveVariable[] = "FOSTER_RECEIVE_FD";
inline constexpr size_t kLiveNameMax = 255;

class LiveChannels {
 public:
  LiveChannels(KeeperClient& keeper, const UnitSet& set) : keeper_(keeper), set_(set) {}

  /// Takes those of `kept` that are ends of foster's. Those of units that are no more, or that
  /// receive nothing live any more, are closed.
  void attach(std::vector<HandedDescriptor>& kept);

  /// The service's end, for a process to be spawned. `beside`: another process of the unit goes on,
  /// with its own; otherwise that one is over, and its end with it.
  Result<UniqueFd> open(UnitIndex unit, Attempt attempt, bool beside);

  /// Never waits. False: no process of the unit has it, because none has a channel, or because
  /// those that have one do not read it and it is full.
  bool send(UnitIndex unit, std::string_view name, int fd);

  /// Closes those of the unit's that nobody holds the other end of any more.
  void close_ended(UnitIndex unit);
  /// Once the unit has no process any more: others may have inherited the end of one that is over.
  void close_all(UnitIndex unit);

 private:
  struct Channel {
    std::string kept_name;
    UniqueFd fd;
  };

  KeeperClient& keeper_;
  const UnitSet& set_;
  std::unordered_map<uint32_t, std::vector<Channel>> channels_;  // by unit, the newest last
};

}  // namespace foster::manager
