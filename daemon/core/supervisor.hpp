// The policy of foster as a pure function: events and the time in, actions out (DESIGN: the core
// computes, it never touches the world). Deterministic: the same events, times and seed give the
// same actions.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "common/ids.hpp"
#include "common/instant.hpp"
#include "common/unit/unit_set.hpp"
#include "daemon/core/action.hpp"
#include "daemon/core/event.hpp"
#include "daemon/core/unit_state.hpp"

namespace foster::core {

/// What a manager finds when it starts.
/// A main process that another has taken over from (Adopt), while it or any of its group lives or
/// its end has not been acknowledged.
struct LiveFormer {
  Attempt attempt;
  int32_t pid = 0;
};

struct RecoveredUnit {
  UnitIndex unit;
  std::optional<UnitRecord> record;  // from the region; absent, or without `since` and `attempt`:
                                     // the unit is new
  /// The attempt that the keeper knows of this unit: alive, lingering, or over with news that were
  /// not acknowledged yet (those come as events after Begin). 0 = none.
  Attempt live_attempt;
  int32_t pid = 0;
  int last_signal = 0;  // what the keeper was last asked to send to it; 0 = nothing
  /// Likewise of side processes: what the keeper knows and has not been acknowledged.
  Attempt live_hook;
  Attempt live_check;
  std::vector<LiveFormer> live_formers;
  /// Of an overlapped restart: the successor as the record tells of it, and the main process whose
  /// place was taken.
  Attempt live_successor;
  Attempt live_overlapped;
  int32_t overlapped_pid = 0;  // 0: its end has been counted
  int successor_signal = 0;
  int overlapped_signal = 0;
  Role live_role = Role::main;  // of live_attempt
  bool masked = false;
  bool unwanted = false;  // stopped at Begin, in whatever it is: no unit file describes it any more
};

struct Recovered {
  std::vector<RecoveredUnit> units;  // at most one per unit, any order
  Attempt last_attempt;              // highest ever given out, as far as region or keeper know
  JobId last_job;
  bool shutting_down = false;
  int exit_code = 0;
};

struct Options {
  uint64_t seed = 0;  // of the jitter
};

class Supervisor {
 public:
  Supervisor(std::shared_ptr<const UnitSet> set, const Options& options);
  ~Supervisor();

  /// Once, before the first event. Does not act: actions come with Begin.
  void recover(const Recovered& found, Instant now);

  /// Takes one event; what follows from it is appended to `actions`.
  void handle(const Event& event, Instant now, int64_t now_real_ns, std::vector<Action>& actions);

  /// Does what has fallen due by now. Harmless when nothing has.
  void time_reached(Instant now, int64_t now_real_ns, std::vector<Action>& actions);

  /// When time_reached must be called next; nothing when there is nothing to wait for.
  [[nodiscard]] std::optional<Instant> next_deadline() const;

  /// Units whose record changed since the last call, each once, in order.
  [[nodiscard]] std::vector<UnitIndex> take_changed();

  [[nodiscard]] const UnitSet& set() const;
  [[nodiscard]] const UnitRecord& record(UnitIndex unit) const;
  [[nodiscard]] Attempt last_attempt() const;
  [[nodiscard]] JobId last_job() const;
  [[nodiscard]] bool shutting_down() const;
  [[nodiscard]] bool settled() const;  // InitialUnitsSettled has been given out
  [[nodiscard]] int exit_code() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace foster::core
