// What the units round a unit mean for its next move: whether it may start, and whether it may go
// on stopping. Pure questions to the ledger and the graph.
#pragma once

#include <optional>

#include "daemon/core/ledger.hpp"

namespace foster::core {

/// Of a unit that starts on a connection: whether its sockets are there for others.
[[nodiscard]] bool takes_connections(const UnitSpec& spec, const UnitRecord& record);
/// Whether a start for this cause goes no further than `listening`.
[[nodiscard]] bool listens_first(const UnitSpec& spec, Cause cause);

/// "Up", as others see it: running, or for a oneshot, exited after all its commands succeeded. A
/// unit that starts on a connection is up as long as its sockets take one.
[[nodiscard]] bool is_up(const UnitSpec& spec, const UnitRecord& record);

enum class Passage : uint8_t { open, wait, failed };

struct Verdict {
  Passage passage = Passage::open;
  UnitIndex by;  // whose doing it is, unless open
};

class Gate {
 public:
  explicit Gate(const Ledger& ledger) : ledger_(ledger) {}

  /// What the end of this edge means for a start of its beginning.
  [[nodiscard]] Passage passage(const Edge& edge) const;

  /// Whether a start of the unit, for this cause, comes to rest in `listening`.
  [[nodiscard]] bool will_listen(UnitIndex unit, Cause cause) const;

  /// Whether the unit may start for this cause, or listen: then only conflicts count, and the
  /// failure of what it requires where it was stopped on that account, so that the connection that
  /// still waits does not start both over and over. The edges are
  /// looked at from the one that held a waiting unit back last, so that a unit with many needs is
  /// done with each of them once and not over and over.
  [[nodiscard]] Verdict start(UnitIndex unit, Cause cause) const;

  /// The unit whose stop has to come before this one's; likewise from the last one on.
  [[nodiscard]] std::optional<UnitIndex> stop(UnitIndex unit) const;

 private:
  const Ledger& ledger_;
};

}  // namespace foster::core
