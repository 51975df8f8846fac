// What units mean to each other, in motion: starts pull in what they need, stops take along what
// depends, and each unit's move lets others go on, fail, come back. Work lists, in order; cost is
// linear in the edges of the units that move.
#pragma once

#include <span>
#include <vector>

#include "daemon/core/gate.hpp"
#include "daemon/core/ledger.hpp"
#include "daemon/core/unit_machine.hpp"

namespace foster::core {

class Propagation {
 public:
  Propagation(Ledger& ledger, UnitMachine& machine);

  /// Starts these and what they pull in. `explicit_request`: by someone who wants it now, so that
  /// what has failed is tried again.
  void start(std::span<const StartWish> roots, bool explicit_request, const Turn& turn);

  /// Stops these, and before them what cannot be without them.
  void stop(std::span<const StopWish> roots, const Turn& turn);

  /// Lets every move since the last call take effect on others, and theirs on others again.
  void settle(const Turn& turn);

  /// At Begin: the units as they were found, some of which may not have been told of others' moves.
  /// `known`: by unit, whether there was a record of it.
  void begin(const std::vector<uint8_t>& known, const Turn& turn);

 private:
  /// Of a unit that others wait for: whether it fails and is tried again, or nobody brings it up.
  enum class Delay : uint8_t { none, some, without_end };

  void pull_in(const Edge& edge, const StartWish& wish, bool explicit_request);
  void stop_rivals(size_t roots, const Turn& turn);
  void stop_bound(UnitIndex unit, const Turn& turn);
  void take_along(const Edge& edge, const StopWish& wish);
  void add_stop(const StopWish& wish);
  void unit_moved(UnitIndex unit, const Turn& turn);
  void other_moved(const Edge& edge, bool fell, const Turn& turn);
  void stop_rival_of_waiting(UnitIndex unit, const Turn& turn);
  void stop_rival(UnitIndex unit, UnitIndex rival, const Turn& turn);
  void held_up(const Edge& edge);
  [[nodiscard]] Delay delay(UnitIndex unit) const;
  void make_up_for_lost(UnitIndex unit, const std::vector<uint8_t>& known, const Turn& turn);
  void start_owed(const Turn& turn);
  [[nodiscard]] uint32_t rank(UnitIndex unit) const;

  Ledger& ledger_;
  UnitMachine& machine_;
  Gate gate_;
  std::vector<uint32_t> rank_;     // by unit: its place in the start order; empty without edges
  std::vector<uint8_t> up_;        // by unit: as others have been told
  std::vector<Delay> held_up_;     // by unit: how what it waits for keeps it waiting
  std::vector<uint32_t> place_;    // by unit: its place in the list under way plus one
  std::vector<StartWish> starts_;  // the lists under way
  std::vector<StopWish> stops_;
  std::vector<uint32_t> stops_to_spread_;  // places in stops_ whose dependents are to be looked at
  std::vector<UnitIndex> moved_;
};

}  // namespace foster::core
