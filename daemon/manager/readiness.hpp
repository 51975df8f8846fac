// Watches for the kinds of [ready] that no process checks: a newline on a descriptor, the service's
// own or the one that foster-tap writes once a line of output has matched, and a file that appears.
// A watch begins before the command is spawned, goes with the main process where that
// changes (forking), and ends when readiness has been seen or the attempt is over.
//
// The read end of the pipe is kept by the keeper as well, and the newline stays in it until it has
// been handled and published: a manager that dies in between loses nothing.
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
#include "daemon/manager/path_watch.hpp"

namespace foster::manager {

class Readiness {
 public:
  Readiness(KeeperClient& keeper, const core::Supervisor& core,
            std::function<void(core::Event)> queue);
  ~Readiness();
  Readiness(const Readiness&) = delete;
  Readiness& operator=(const Readiness&) = delete;

  /// Takes the pipes that a former manager left out of what the keeper holds.
  void attach(sd_event* loop, std::vector<HandedDescriptor>& kept);

  /// After a takeover, for each unit: goes on watching where readiness has not been seen, be it of
  /// a successor's. A pipe that nobody claims in this way is given up by takeover_ended().
  Result<void> resume(UnitIndex unit, const core::UnitRecord& record);
  void takeover_ended();

  /// Before the command of `attempt` is spawned: the end of the pipe to pass on to it; empty where
  /// the unit's readiness is of another kind. A file that is there already does not count until it
  /// is made anew or touched.
  Result<UniqueFd> begin(UnitIndex unit, Attempt attempt);

  /// The main process belongs to another attempt from now on.
  void moved(Attempt from, Attempt to);
  void forget(Attempt attempt);

  /// What was seen has been handled and published.
  void turn_ended();

 private:
  struct Watch;

  static int pipe_spoke(sd_event_source* source, int fd, uint32_t events, void* watch);
  Result<void> resume(UnitIndex unit, Attempt attempt, Instant started);
  Watch& add(UnitIndex unit, Attempt attempt);
  Result<void> watch_pipe(Watch& watch, UniqueFd fd);
  Result<void> watch_file(Watch& watch);
  void seen(Watch& watch);
  [[nodiscard]] bool newline_waits(int fd);

  KeeperClient& keeper_;
  const core::Supervisor& core_;
  std::function<void(core::Event)> queue_;
  sd_event* loop_ = nullptr;
  std::unordered_map<uint64_t, std::unique_ptr<Watch>> watches_;  // by attempt
  std::unordered_map<uint64_t, UniqueFd> kept_;                   // by attempt, until resume()
  std::vector<Attempt> done_;                                     // in this turn
  UniqueFd scratch_read_;  // a pipe to look at what waits in another without taking it
  UniqueFd scratch_write_;
};

}  // namespace foster::manager
