#include "daemon/core/gate.hpp"

#include <algorithm>

#include "common/check.hpp"
#include "daemon/core/restart_policy.hpp"

namespace foster::core {
namespace {

bool on_its_way_up(const UnitSpec& spec, const UnitRecord& record) {
  if (record.goal == Goal::down || record.failures > 0) return false;
  if (takes_connections(spec, record)) return false;
  switch (record.state) {
    case UnitState::waiting:
    case UnitState::starting:
    case UnitState::listening:
      return true;
    case UnitState::running:
      return spec.type == ServiceType::oneshot;
    case UnitState::stopped:
    case UnitState::stopping:
    case UnitState::backoff:
    case UnitState::exited:
    case UnitState::failed:
    case UnitState::skipped:
      return false;
  }
  FOSTER_CHECK(false);
}

Passage once(bool satisfied, const UnitRecord& record) {
  if (satisfied) return Passage::open;
  return record.state == UnitState::failed ? Passage::failed : Passage::wait;
}

/// Where to begin: at the first edge whose other end is not before `unit`.
template <class End>
size_t place_of(std::span<const Edge> edges, uint32_t blocker, End end) {
  if (blocker == 0) return 0;
  const auto found = std::ranges::lower_bound(edges, UnitIndex{blocker - 1}, {}, end);
  return found == edges.end() ? 0 : static_cast<size_t>(found - edges.begin());
}

}  // namespace

bool takes_connections(const UnitSpec& spec, const UnitRecord& record) {
  if (!starts_on_connection(spec) || record.goal == Goal::down) return false;
  switch (record.state) {
    case UnitState::listening:
      return record.ready;
    case UnitState::starting:
    case UnitState::running:
    case UnitState::backoff:
      return true;
    case UnitState::stopping:
      return decided_by_policy(record.cause);
    case UnitState::waiting:
      return !listens_first(spec, record.cause);
    case UnitState::stopped:
    case UnitState::exited:
    case UnitState::failed:
    case UnitState::skipped:
      return false;
  }
  FOSTER_CHECK(false);
}

bool listens_first(const UnitSpec& spec, Cause cause) {
  return starts_on_connection(spec) && cause != Cause::connection && !decided_by_policy(cause);
}

bool is_up(const UnitSpec& spec, const UnitRecord& record) {
  if (takes_connections(spec, record)) return true;
  if (spec.type == ServiceType::oneshot) return record.state == UnitState::exited;
  return record.state == UnitState::running;
}

Passage Gate::passage(const Edge& edge) const {
  const UnitRecord& other = ledger_.record(edge.to);
  const UnitSpec& spec = ledger_.spec(edge.to);
  const bool up = is_up(spec, other);
  const bool skipped = other.state == UnitState::skipped;
  switch (edge.kind) {
    case EdgeKind::requires_unit:
      return once(up || skipped, other);
    case EdgeKind::binds_to:
      return once(up, other);
    case EdgeKind::completed:
      // Only the first start since a request waits for it; what restarts by itself has seen it.
      return once((up && !takes_connections(spec, other)) || skipped ||
                      ledger_.record(edge.from).failures > 0,
                  other);
    case EdgeKind::after:
      return on_its_way_up(spec, other) || other.state == UnitState::stopping ? Passage::wait
                                                                              : Passage::open;
    case EdgeKind::conflicts:
      return at_rest(other.state) ? Passage::open : Passage::wait;
    case EdgeKind::wants:
    case EdgeKind::part_of:
      return Passage::open;
  }
  FOSTER_CHECK(false);
}

bool Gate::will_listen(UnitIndex unit, Cause cause) const {
  const UnitRecord& record = ledger_.record(unit);
  switch (record.state) {
    case UnitState::starting:
    case UnitState::running:
      return false;
    case UnitState::waiting:
      return listens_first(ledger_.spec(unit), record.cause);
    case UnitState::stopped:
    case UnitState::stopping:
    case UnitState::backoff:
    case UnitState::exited:
    case UnitState::failed:
    case UnitState::skipped:
    case UnitState::listening:
      return listens_first(ledger_.spec(unit), cause);
  }
  FOSTER_CHECK(false);
}

Verdict Gate::start(UnitIndex unit, Cause cause) const {
  const bool listens = listens_first(ledger_.spec(unit), cause);
  const std::span<const Edge> edges = ledger_.set().graph().needs(unit);
  const UnitRecord& record = ledger_.record(unit);
  const bool waits = record.state == UnitState::waiting;
  const size_t first = place_of(edges, waits ? record.blocker : 0, &Edge::to);
  Verdict verdict;
  for (size_t i = 0; i < edges.size(); ++i) {
    const Edge& edge = edges[(first + i) % edges.size()];
    const bool needs_it = edge.kind == EdgeKind::requires_unit || edge.kind == EdgeKind::binds_to;
    const bool brought_down = cause == Cause::dependency && needs_it;
    if (listens && edge.kind != EdgeKind::conflicts && !brought_down) continue;
    const Passage passage = this->passage(edge);
    if (listens && brought_down && passage == Passage::wait) continue;
    if (passage == Passage::open) continue;
    if (passage == Passage::failed || waits) return {passage, edge.to};
    // What has failed before it begins to wait will not be heard of again.
    if (verdict.passage == Passage::open) verdict = {passage, edge.to};
  }
  return verdict;
}

std::optional<UnitIndex> Gate::stop(UnitIndex unit) const {
  const std::span<const Edge> edges = ledger_.set().graph().needed_by(unit);
  const size_t first = place_of(edges, ledger_.record(unit).blocker, &Edge::from);
  for (size_t i = 0; i < edges.size(); ++i) {
    const Edge& edge = edges[(first + i) % edges.size()];
    if (orders(edge.kind) && ledger_.record(edge.from).state == UnitState::stopping) {
      return edge.from;
    }
  }
  return std::nullopt;
}

}  // namespace foster::core
