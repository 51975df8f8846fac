#include "daemon/core/propagation.hpp"

#include <algorithm>
#include <utility>

#include "common/check.hpp"

namespace foster::core {
namespace {

// How often a unit may move within one event before something must be wrong.
constexpr size_t kMovesPerUnit = 64;

bool needs_it_up(EdgeKind kind) {
  return kind == EdgeKind::requires_unit || kind == EdgeKind::binds_to;
}

bool is_under_way(UnitState state) {
  return state == UnitState::starting || state == UnitState::running;
}

}  // namespace

Propagation::Propagation(Ledger& ledger, UnitMachine& machine)
    : ledger_(ledger), machine_(machine), gate_(ledger) {
  const Graph& graph = ledger.set().graph();
  const size_t units = ledger.size();
  held_up_.assign(units, Delay::none);
  place_.assign(units, 0);
  up_.assign(units, 1);
  if (graph.edges().empty()) return;
  const std::vector<UnitIndex> order = graph.start_order(units);
  FOSTER_CHECK(order.size() == units);
  rank_.resize(units);
  for (uint32_t i = 0; i < units; ++i)
    rank_[order[i].value] = i;
}

uint32_t Propagation::rank(UnitIndex unit) const {
  return rank_.empty() ? unit.value : rank_[unit.value];
}

void Propagation::start(std::span<const StartWish> roots, bool explicit_request, const Turn& turn) {
  starts_.assign(roots.begin(), roots.end());
  for (const StartWish& root : roots)
    place_[root.unit.value] = 1;
  for (size_t done = 0; done < starts_.size(); ++done) {
    const StartWish wish = starts_[done];
    UnitRecord& record = ledger_.change(wish.unit);
    record.goal = Goal::up;
    if (record.job_verb == Verb::stop) JobTable::finish(record, JobResult::superseded);
    if (record.state != UnitState::running) record.failures = 0;
    // What it needs is started with it, when a connection comes.
    if (gate_.will_listen(wish.unit, wish.cause)) continue;
    for (const Edge& edge : ledger_.set().graph().needs(wish.unit))
      pull_in(edge, wish, explicit_request);
  }
  for (const StartWish& wish : starts_)
    place_[wish.unit.value] = 0;
  if (!rank_.empty()) {
    stop_rivals(roots.size(), turn);
    std::ranges::stable_sort(starts_, {}, [this](const StartWish& w) { return rank(w.unit); });
  }
  const std::vector<StartWish> wishes = std::exchange(starts_, {});
  for (const StartWish& wish : wishes) {
    const bool was_up = is_up(ledger_.spec(wish.unit), ledger_.record(wish.unit));
    if (ledger_.record(wish.unit).goal == Goal::up) machine_.want_up(wish, turn);
    if (was_up) stop_bound(wish.unit, turn);
  }
}

void Propagation::pull_in(const Edge& edge, const StartWish& wish, bool explicit_request) {
  if (!pulls(edge.kind) || place_[edge.to.value] != 0) return;
  const UnitRecord& other = ledger_.record(edge.to);
  if (edge.kind == EdgeKind::wants && other.masked) return;
  const bool done = gate_.passage(edge) == Passage::open && edge.kind != EdgeKind::wants;
  const bool tries_again = explicit_request && edge.kind != EdgeKind::wants && !done &&
                           (at_rest(other.state) || other.state == UnitState::waiting);
  if (other.goal == Goal::up ? !tries_again : done && edge.kind == EdgeKind::completed) return;
  place_[edge.to.value] = 1;
  starts_.push_back({edge.to, wish.cause == Cause::on_failure ? Cause::request : wish.cause});
}

/// A oneshot that is run again is not up until it is done: what is bound to it waits for it anew.
void Propagation::stop_bound(UnitIndex unit, const Turn& turn) {
  if (is_up(ledger_.spec(unit), ledger_.record(unit))) return;
  std::vector<StopWish> bound;
  for (const Edge& edge : ledger_.set().graph().needed_by(unit)) {
    const UnitRecord& other = ledger_.record(edge.from);
    if (edge.kind == EdgeKind::binds_to && is_under_way(other.state) && other.goal == Goal::up) {
      bound.push_back({edge.from, Goal::up, Cause::dependency, unit.value + 1, false});
    }
  }
  if (!bound.empty()) stop(bound, turn);
}

/// Whoever conflicts with what is to be started is stopped. Those that were asked for, which come
/// first in the list, have the last word.
void Propagation::stop_rivals(size_t roots, const Turn& turn) {
  std::ranges::rotate(starts_, starts_.begin() + static_cast<ptrdiff_t>(roots));
  std::vector<StopWish> rivals;
  for (const StartWish& wish : starts_) {
    const UnitRecord& record = ledger_.record(wish.unit);
    const bool is_done = record.state == UnitState::exited &&
                         ledger_.spec(wish.unit).remain_after_exit &&
                         record.job_verb != Verb::restart;
    if (record.goal == Goal::down || is_done) continue;
    for (const Edge& edge : ledger_.set().graph().needs(wish.unit)) {
      if (edge.kind != EdgeKind::conflicts) continue;
      const UnitRecord& rival = ledger_.record(edge.to);
      if (rival.goal == Goal::down && at_rest(rival.state)) continue;
      ledger_.change(edge.to).goal = Goal::down;
      rivals.push_back({.unit = edge.to, .cause = Cause::conflict, .blocker = wish.unit.value + 1});
    }
  }
  if (!rivals.empty()) stop(rivals, turn);
}

void Propagation::stop(std::span<const StopWish> roots, const Turn& turn) {
  FOSTER_CHECK(stops_.empty());
  for (const StopWish& root : roots)
    add_stop(root);
  for (size_t done = 0; done < stops_to_spread_.size(); ++done) {
    const StopWish wish = stops_[stops_to_spread_[done]];
    for (const Edge& edge : ledger_.set().graph().needed_by(wish.unit))
      take_along(edge, wish);
  }
  stops_to_spread_.clear();
  for (const StopWish& wish : stops_)
    place_[wish.unit.value] = 0;
  // Those that have to go first are told first.
  if (!rank_.empty()) {
    std::ranges::stable_sort(stops_, std::greater<>{},
                             [this](const StopWish& w) { return rank(w.unit); });
  }
  const std::vector<StopWish> wishes = std::exchange(stops_, {});
  for (const StopWish& wish : wishes)
    machine_.want_stopped(wish, turn);
  for (const StopWish& wish : wishes)
    machine_.go_on_stopping(wish.unit, turn);
}

void Propagation::take_along(const Edge& edge, const StopWish& wish) {
  const UnitRecord& other = ledger_.record(edge.from);
  StopWish along{.unit = edge.from,
                 .goal = Goal::up,
                 .cause = wish.cause == Cause::shutdown ? Cause::shutdown : Cause::dependency,
                 .blocker = wish.unit.value + 1,
                 .restart = wish.restart};
  if (edge.kind == EdgeKind::part_of) {
    const bool on_request = wish.goal == Goal::down || wish.restart;
    if (!on_request) return;
    along.goal = wish.goal;
    if (along.goal == Goal::down) return add_stop(along);
  } else if (!needs_it_up(edge.kind) || (wish.restart && edge.kind == EdgeKind::requires_unit &&
                                         !ledger_.spec(wish.unit).restart_dependents)) {
    return;
  }
  if (other.state == UnitState::listening && along.goal == Goal::up) return;
  // One that comes back by itself has nothing to be stopped, but what depends on it may.
  if (!at_rest(other.state) && other.goal == Goal::up) add_stop(along);
}

/// A unit that is to stay down is not brought up again for another's sake.
void Propagation::add_stop(const StopWish& wish) {
  uint32_t& place = place_[wish.unit.value];
  if (place == 0) {
    stops_.push_back(wish);
    place = static_cast<uint32_t>(stops_.size());
    stops_to_spread_.push_back(place - 1);
    return;
  }
  StopWish& known = stops_[place - 1];
  if (known.goal == Goal::down || wish.goal == Goal::up) return;
  known.goal = Goal::down;
  stops_to_spread_.push_back(place - 1);
}

void Propagation::settle(const Turn& turn) {
  const size_t most = kMovesPerUnit * (ledger_.size() + 1);
  size_t moves = 0;
  while (true) {
    start_owed(turn);
    ledger_.take_moved(moved_);
    if (moved_.empty()) return;
    moves += moved_.size();
    FOSTER_CHECK(moves <= most);
    if (rank_.empty()) continue;
    const std::vector<UnitIndex> moved = std::exchange(moved_, {});
    for (const UnitIndex unit : moved)
      unit_moved(unit, turn);
  }
}

void Propagation::start_owed(const Turn& turn) {
  const std::vector<OwedStart> owed = std::exchange(machine_.owed_starts(), {});
  for (const OwedStart& start : owed) {
    const UnitRecord& record = ledger_.record(start.unit);
    if (!at_rest(record.state) || record.masked) continue;
    const UnitSpec& spec = ledger_.spec(start.unit);
    if (spec.remain_after_exit && is_up(spec, record)) continue;
    if (!machine_.may_answer_failure(start, turn)) continue;
    const StartWish wish{start.unit, Cause::on_failure, start.trigger.value + 1};
    // Not as by request: it may depend on the very unit whose failure it answers.
    this->start({&wish, 1}, false, turn);
  }
}

void Propagation::unit_moved(UnitIndex unit, const Turn& turn) {
  const Graph& graph = ledger_.set().graph();
  const bool up = is_up(ledger_.spec(unit), ledger_.record(unit));
  const bool fell = !up && up_[unit.value] != 0;
  up_[unit.value] = up ? 1 : 0;
  stop_rival_of_waiting(unit, turn);
  const UnitRecord& record = ledger_.record(unit);
  held_up_[unit.value] = Delay::none;
  if (record.state == UnitState::waiting) held_up_[unit.value] = delay({record.blocker - 1});
  if (held_up_[unit.value] != Delay::none) {
    JobTable::finish(ledger_.change(unit), JobResult::failed);
    ledger_.settle(unit);
  }
  for (const Edge& edge : graph.needed_by(unit))
    other_moved(edge, fell, turn);
  if (ledger_.record(unit).state == UnitState::stopping) return;
  for (const Edge& edge : graph.needs(unit)) {
    const UnitRecord& other = ledger_.record(edge.to);
    if (orders(edge.kind) && other.state == UnitState::stopping && other.step == Step::dependents &&
        other.blocker == unit.value + 1) {
      machine_.go_on_stopping(edge.to, turn);
    }
  }
}

/// A crash may have swallowed what the start of a unit meant for its rival.
void Propagation::stop_rival_of_waiting(UnitIndex unit, const Turn& turn) {
  const UnitRecord& record = ledger_.record(unit);
  if (record.state != UnitState::waiting) return;
  const UnitIndex blocker{record.blocker - 1};
  const std::span<const Edge> edges = ledger_.set().graph().needs(unit);
  const Edge conflict{unit, blocker, EdgeKind::conflicts};
  const auto found = std::ranges::lower_bound(edges, blocker, {}, &Edge::to);
  if (std::find(found, edges.end(), conflict) != edges.end()) stop_rival(unit, blocker, turn);
}

void Propagation::stop_rival(UnitIndex unit, UnitIndex rival, const Turn& turn) {
  const UnitRecord& other = ledger_.record(rival);
  if (ledger_.record(unit).goal == Goal::down || other.goal == Goal::down) return;
  if (at_rest(other.state)) return;
  const StopWish wish{.unit = rival, .cause = Cause::conflict, .blocker = unit.value + 1};
  stop({&wish, 1}, turn);
}

/// What the move of the edge's end means for its beginning.
void Propagation::other_moved(const Edge& edge, bool fell, const Turn& turn) {
  const UnitIndex unit = edge.from;
  const UnitRecord& record = ledger_.record(unit);
  const bool held_back = record.blocker == edge.to.value + 1;
  const Passage passage = gate_.passage(edge);
  if (record.goal == Goal::down) return;
  if (passage == Passage::failed) {
    // What is to listen first has its needs looked at when something comes.
    if (record.state == UnitState::waiting && gate_.will_listen(unit, record.cause)) {
      return machine_.reconsider(unit, turn);
    }
    const bool still_counts = needs_it_up(edge.kind) || record.state == UnitState::waiting;
    if (still_counts && is_under_way(record.state)) {
      const StopWish wish{unit, Goal::up, Cause::dependency, edge.to.value + 1, false};
      return stop({&wish, 1}, turn);
    }
    if (still_counts &&
        (record.state == UnitState::waiting || record.state == UnitState::backoff)) {
      machine_.dependency_failed(unit, edge.to, turn);
    }
    return;
  }
  if (record.state == UnitState::waiting && held_back) {
    machine_.reconsider(unit, turn);
    return held_up(edge);
  }
  const bool lost_it = record.state == UnitState::failed && record.cause == Cause::dependency;
  if (lost_it && held_back && passage == Passage::open && edge.kind != EdgeKind::after) {
    return machine_.revive(unit, turn);
  }
  // What it requires crashed and was to come back, but now waits for what nobody brings up.
  const bool in_vain = needs_it_up(edge.kind) && passage != Passage::open &&
                       held_up_[edge.to.value] == Delay::without_end;
  if (((fell && edge.kind == EdgeKind::binds_to) || in_vain) && is_under_way(record.state)) {
    const StopWish wish{unit, Goal::up, Cause::dependency, edge.to.value + 1, false};
    stop({&wish, 1}, turn);
  }
}

/// Whoever waits for a start is told once it will be long in coming; foster goes on trying.
void Propagation::held_up(const Edge& edge) {
  const UnitRecord& record = ledger_.record(edge.from);
  if (record.state != UnitState::waiting || record.blocker != edge.to.value + 1) return;
  const Delay expected = delay(edge.to);
  const bool known = expected == held_up_[edge.from.value];
  if (!known || (expected != Delay::none && record.job_verb != Verb::none)) {
    ledger_.move(edge.from);
  }
}

Propagation::Delay Propagation::delay(UnitIndex unit) const {
  const UnitRecord& record = ledger_.record(unit);
  switch (record.state) {
    case UnitState::stopped:
    case UnitState::exited:
    case UnitState::failed:
    case UnitState::skipped:
      return Delay::without_end;
    case UnitState::backoff:
      return Delay::some;
    case UnitState::listening:  // nobody knows when something comes
      return record.ready ? Delay::some : Delay::none;
    case UnitState::waiting:
      return held_up_[unit.value];
    case UnitState::starting:
      return record.failures > 0 ? Delay::some : Delay::none;
    case UnitState::running:
    case UnitState::stopping:
      return Delay::none;
  }
  FOSTER_CHECK(false);
}

void Propagation::begin(const std::vector<uint8_t>& known, const Turn& turn) {
  if (rank_.empty()) {
    for (uint32_t i = 0; i < ledger_.size(); ++i)
      machine_.begun({i}, turn);
    return;
  }
  const std::vector<UnitIndex> order = ledger_.set().graph().start_order(ledger_.size());
  for (const UnitIndex unit : order) {
    stop_rival_of_waiting(unit, turn);
    const UnitState state = ledger_.record(unit).state;
    const bool up_at_once =
        state == UnitState::listening ||
        (state == UnitState::running && ledger_.spec(unit).type == ServiceType::group);
    if (state != UnitState::starting && !up_at_once) continue;
    for (const Edge& edge : ledger_.set().graph().needs(unit))
      if (edge.kind == EdgeKind::conflicts) stop_rival(unit, edge.to, turn);
  }
  for (const UnitIndex unit : order)
    make_up_for_lost(unit, known, turn);
  for (const UnitIndex unit : order) {
    machine_.begun(unit, turn);
    ledger_.move(unit);
  }
}

/// The crash may have come between the records of units that moved together.
void Propagation::make_up_for_lost(UnitIndex unit, const std::vector<uint8_t>& known,
                                   const Turn& turn) {
  const UnitRecord& record = ledger_.record(unit);
  if (record.state == UnitState::stopping && record.step == Step::dependents &&
      !decided_by_policy(record.cause)) {
    const StopWish wish{unit, record.goal, record.cause, record.blocker,
                        record.goal == Goal::up && record.cause == Cause::request};
    return stop({&wish, 1}, turn);
  }
  const bool found_alive = record.state == UnitState::starting && known[unit.value] == 0;
  if (record.state != UnitState::waiting && !found_alive) return;
  if (gate_.will_listen(unit, record.cause)) return;
  std::vector<StartWish> pulled;
  for (const Edge& edge : ledger_.set().graph().needs(unit)) {
    const UnitRecord& other = ledger_.record(edge.to);
    const bool lost = (record.job_verb != Verb::none && other.cause != Cause::conflict) ||
                      (known[edge.to.value] == 0 && other.cause == Cause::none);
    if (pulls(edge.kind) && other.goal == Goal::down && at_rest(other.state) && !other.masked &&
        lost && gate_.passage(edge) != Passage::open) {
      pulled.push_back({edge.to, record.cause});
    }
  }
  if (!pulled.empty()) start(pulled, false, turn);
}

}  // namespace foster::core
