#include "daemon/core/supervisor.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <functional>
#include <utility>

#include "common/check.hpp"
#include "daemon/core/invariants.hpp"
#include "daemon/core/job_table.hpp"
#include "daemon/core/ledger.hpp"
#include "daemon/core/propagation.hpp"
#include "daemon/core/recovery.hpp"
#include "daemon/core/restart_policy.hpp"
#include "daemon/core/shutdown.hpp"
#include "daemon/core/unit_machine.hpp"

namespace foster::core {

struct Supervisor::Impl {
  Impl(std::shared_ptr<const UnitSet> set, const Options& options)
      : ledger(std::move(set)),
        machine(ledger, jobs, options.seed),
        propagation(ledger, machine),
        last_signals(ledger.size()),
        known(ledger.size(), 0),
        unwanted_found(ledger.size(), 0) {}

  void take(const Begin& event, const Turn& turn);
  void take(const Request& event, const Turn& turn);
  void take(const SignalRequest& event, const Turn& turn);
  void take(const ShutdownRequest& event, const Turn& turn);
  void take(const KillFailed& event, const Turn& turn);
  void take(const MaskChange& event, const Turn& turn);
  void take(const TimerElapsed& event, const Turn& turn);
  void take(const Spawned& event, const Turn& turn) { machine.spawned(event, turn); }
  void take(const SpawnFailed& event, const Turn& turn) { machine.spawn_failed(event, turn); }
  void take(const Exited& event, const Turn& turn);
  void take(const GroupEmptied& event, const Turn& turn) { machine.group_emptied(event, turn); }
  void take(const ConditionsChecked& event, const Turn& turn) {
    machine.conditions_checked(event, turn);
  }
  void take(const ReadySeen& event, const Turn& turn) { machine.ready_seen(event, turn); }
  void take(const Notified& event, const Turn& turn) { machine.notified(event, turn); }
  void take(const MainFound& event, const Turn& turn) { machine.main_found(event, turn); }
  void take(const MainNotFound& event, const Turn& turn) { machine.main_not_found(event, turn); }
  void take(const KinEnded& event, const Turn& turn) { machine.kin_ended(event, turn); }
  void take(const AdoptFailed& event, const Turn& turn) { machine.adopt_failed(event, turn); }
  void take(const MemoryMeasured& event, const Turn& turn) { machine.memory_measured(event, turn); }
  void take(const Listening& event, const Turn&) { machine.sockets_opened(event.unit); }
  void take(const ConnectionSeen& event, const Turn& turn);
  void take(const ListenFailed& event, const Turn& turn) { machine.listen_failed(event, turn); }

  [[nodiscard]] Reply refusal_of(const Request& event) const;
  void obey(Verb verb, const std::vector<UnitIndex>& units, const Turn& turn);
  [[nodiscard]] std::vector<UnitIndex> overlap(Verb verb, const std::vector<UnitIndex>& units,
                                               const Turn& turn);
  void restart(const std::vector<UnitIndex>& units, const Turn& turn);
  void begin_shutdown(const Turn& turn);
  void ends_all(UnitIndex unit, const Turn& turn);
  void conclude(const Turn& turn);
  void check(UnitIndex unit) const;
  [[nodiscard]] bool is_unit(UnitIndex unit) const { return unit.value < ledger.size(); }

  Ledger ledger;
  JobTable jobs;
  UnitMachine machine;
  Propagation propagation;
  Shutdown shutdown;
  std::vector<LastSignals> last_signals;  // by unit, from recovery until Begin
  std::vector<uint8_t> known;             // by unit, from recovery until Begin: there was a record
  std::vector<uint8_t> unwanted_found;    // likewise: it is to be stopped
  std::vector<UnitIndex> due;
  std::vector<UnitIndex> touched;
  bool begun = false;
  bool settled = false;
};

void Supervisor::Impl::take(const Begin& event, const Turn& turn) {
  FOSTER_CHECK(!begun);
  begun = true;
  for (uint32_t i = 0; i < ledger.size(); ++i)
    machine.resume({i}, last_signals[i], turn);
  std::vector<StopWish> unwanted;
  for (uint32_t i = 0; i < ledger.size(); ++i) {
    const UnitState state = ledger.record({i}).state;
    const bool lives = state == UnitState::starting || state == UnitState::running;
    const bool dropped = lives && ledger.record({i}).goal == Goal::down;
    if (dropped || unwanted_found[i] != 0) unwanted.push_back({.unit = {i}});
  }
  if (shutdown.under_way()) {
    begin_shutdown(turn);
  } else {
    propagation.stop(unwanted, turn);
    std::vector<StartWish> wishes;
    for (const UnitIndex unit : event.initial)
      if (!ledger.record(unit).masked) wishes.push_back({unit, Cause::boot});
    propagation.start(wishes, false, turn);
  }
  propagation.begin(known, turn);
  for (uint32_t i = 0; i < ledger.size(); ++i) {
    if (ledger.record({i}).since.ns == 0) ledger.change({i}).since = turn.now;
    if (ledger.record({i}).goal == Goal::up) ledger.await_settling({i});
  }
  last_signals = {};
  known = {};
  unwanted_found = {};
}

/// The first unit that cannot have what is asked for it, if there is one.
Reply Supervisor::Impl::refusal_of(const Request& event) const {
  Reply reply{.token = event.token};
  if (shutdown.under_way() && event.verb != Verb::stop && event.verb != Verb::reset) {
    reply.refusal = Refusal::shutting_down;
    return reply;
  }
  for (const UnitIndex unit : event.units) {
    const UnitRecord& record = ledger.record(unit);
    const bool starts =
        event.verb == Verb::start || event.verb == Verb::restart || event.verb == Verb::overlap;
    if (starts && record.masked) reply.refusal = Refusal::masked;
    if (event.verb == Verb::reload && record.state != UnitState::running) {
      reply.refusal = Refusal::not_running;
    }
    const bool overlaps = record.step == Step::overlap;
    if (event.verb == Verb::reload && (!machine.can_reload(unit) || overlaps)) {
      reply.refusal = Refusal::cannot_reload;
    }
    if (event.verb == Verb::overlap && !machine.can_overlap(unit)) {
      reply.refusal = Refusal::cannot_overlap;
    }
    reply.refused_for = unit;
    if (reply.refusal != Refusal::none) return reply;
  }
  return reply;
}

void Supervisor::Impl::take(const Request& event, const Turn& turn) {
  FOSTER_CHECK(event.verb != Verb::none);
  FOSTER_CHECK(std::ranges::all_of(event.units, [&](UnitIndex unit) { return is_unit(unit); }));
  Reply reply = refusal_of(event);
  if (reply.refusal != Refusal::none) {
    turn.actions.emplace_back(std::move(reply));
    return;
  }
  std::vector<UnitIndex> units;  // those for which there is something to do
  reply.jobs.reserve(event.units.size());
  for (const UnitIndex unit : event.units) {
    UnitRecord& record = ledger.change(unit);
    turn.actions.emplace_back(Note{.kind = NoteKind::request,
                                   .unit = unit,
                                   .state = record.state,
                                   .cause = Cause::request,
                                   .attempt = record.attempt,
                                   .pid = record.pid,
                                   .text = verb_text(event.verb)});
    const bool at_once = event.verb == Verb::reset;
    const bool joins = !at_once && JobTable::joins(record, event.verb);
    // A stop is repeated all the same: what goes with the unit may have been started meanwhile.
    if (!joins || event.verb == Verb::stop) units.push_back(unit);
    const JobId job = at_once ? jobs.do_at_once(record)
                      : joins ? record.job
                              : jobs.open(record, event.verb);
    reply.jobs.push_back({unit, job});
  }
  if (!units.empty()) obey(event.verb, units, turn);
  propagation.settle(turn);
  turn.actions.emplace_back(std::move(reply));
}

void Supervisor::Impl::obey(Verb verb, const std::vector<UnitIndex>& units, const Turn& turn) {
  switch (verb) {
    case Verb::start: {
      std::vector<StartWish> wishes;
      wishes.reserve(units.size());
      for (const UnitIndex unit : units)
        wishes.push_back({unit});
      return propagation.start(wishes, true, turn);
    }
    case Verb::stop: {
      std::vector<StopWish> wishes;
      wishes.reserve(units.size());
      for (const UnitIndex unit : units)
        wishes.push_back({.unit = unit});
      return propagation.stop(wishes, turn);
    }
    case Verb::restart:
    case Verb::overlap:
      return restart(overlap(verb, units, turn), turn);
    case Verb::reload:
      for (const UnitIndex unit : units)
        machine.reload_requested(unit, turn);
      return;
    case Verb::reset:
      for (const UnitIndex unit : units)
        machine.reset_requested(unit, turn);
      return;
    case Verb::none:
      break;
  }
  FOSTER_CHECK(false);
}

/// Restarts those that can be with an overlap so, where that is wanted; returns the others. One
/// that is in an overlap still, though no job is, has lost its old process to a crash.
std::vector<UnitIndex> Supervisor::Impl::overlap(Verb verb, const std::vector<UnitIndex>& units,
                                                 const Turn& turn) {
  std::vector<UnitIndex> others;
  for (const UnitIndex unit : units) {
    const bool wanted = verb == Verb::overlap || ledger.spec(unit).restart.overlap;
    if (wanted && machine.can_overlap_now(unit)) {
      machine.begin_overlap(unit, turn);
    } else {
      others.push_back(unit);
    }
  }
  return others;
}

/// What is up is stopped with its goal left up; the rest is started.
void Supervisor::Impl::restart(const std::vector<UnitIndex>& units, const Turn& turn) {
  std::vector<StopWish> stops;
  for (const UnitIndex unit : units) {
    const UnitRecord& record = ledger.record(unit);
    const bool lives = record.state == UnitState::starting || record.state == UnitState::running;
    const bool stays_up = record.state == UnitState::exited && is_up(ledger.spec(unit), record);
    if (!lives && !stays_up) continue;
    stops.push_back({.unit = unit, .goal = Goal::up, .restart = true});
    UnitRecord& mine = ledger.change(unit);
    mine.goal = Goal::up;
    mine.failures = 0;
    mine.window_count = 0;
  }
  if (!stops.empty()) propagation.stop(stops, turn);
  std::vector<StartWish> starts;
  for (const UnitIndex unit : units) {
    const bool stops_first = std::ranges::find(stops, unit, &StopWish::unit) != stops.end();
    const UnitRecord& record = ledger.record(unit);
    const bool done_already =
        stops_first && (record.state != UnitState::exited || record.job_verb != Verb::restart);
    if (!done_already) starts.push_back({unit});
  }
  if (!starts.empty()) propagation.start(starts, true, turn);
}

void Supervisor::Impl::take(const SignalRequest& event, const Turn& turn) {
  FOSTER_CHECK(std::ranges::all_of(event.units, [&](UnitIndex unit) { return is_unit(unit); }));
  Reply reply{.token = event.token};
  for (const UnitIndex unit : event.units) {
    if (ledger.record(unit).pid != 0) continue;
    reply.refusal = Refusal::not_running;
    reply.refused_for = unit;
    turn.actions.emplace_back(std::move(reply));
    return;
  }
  for (const UnitIndex unit : event.units) {
    const UnitRecord& record = ledger.record(unit);
    turn.actions.emplace_back(
        Kill{.unit = unit, .attempt = record.attempt, .signal = event.signal});
    turn.actions.emplace_back(Note{.kind = NoteKind::signal,
                                   .unit = unit,
                                   .state = record.state,
                                   .cause = Cause::request,
                                   .attempt = record.attempt,
                                   .pid = record.pid,
                                   .value = event.signal});
    reply.jobs.push_back({unit, {}});
  }
  turn.actions.emplace_back(std::move(reply));
}

void Supervisor::Impl::take(const ShutdownRequest& event, const Turn& turn) {
  switch (shutdown.requested(event.exit_code, turn.now)) {
    case Shutdown::Step::begin:
      return begin_shutdown(turn);
    case Shutdown::Step::hurry:
      for (uint32_t i = 0; i < ledger.size(); ++i)
        machine.hurried({i}, turn);
      return;
    case Shutdown::Step::wait:
      return;
  }
}

void Supervisor::Impl::take(const KillFailed& event, const Turn& turn) {
  // Nobody there any more: the end of the attempt is on its way to us.
  if (event.error == ESRCH) return;
  const UnitRecord& record = ledger.record(event.unit);
  turn.actions.emplace_back(
      Note{.kind = NoteKind::signal,
           .unit = event.unit,
           .state = record.state,
           .cause = record.cause,
           .attempt = event.attempt,
           .pid = record.pid,
           .value = event.signal,
           .text = std::string("cannot send the signal: ") + strerrordesc_np(event.error)});
}

/// What failed because it was masked is started when it is not any more.
void Supervisor::Impl::take(const MaskChange& event, const Turn& turn) {
  UnitRecord& record = ledger.change(event.unit);
  record.masked = event.masked;
  const bool owed = !event.masked && record.goal == Goal::up && record.state == UnitState::failed &&
                    record.cause == Cause::masked;
  if (!owed || shutdown.under_way()) return;
  const StartWish wish{event.unit};
  propagation.start({&wish, 1}, false, turn);
}

void Supervisor::Impl::take(const TimerElapsed& event, const Turn& turn) {
  const UnitRecord& record = ledger.record(event.unit);
  if (shutdown.under_way() || record.masked || !at_rest(record.state)) return;
  const StartWish wish{event.unit, Cause::timer};
  propagation.start({&wish, 1}, true, turn);
}

/// What a unit needs is started with it, like by a request. Of a unit whose sockets have not been
/// told of as open it is old news.
void Supervisor::Impl::take(const ConnectionSeen& event, const Turn& turn) {
  const UnitRecord& record = ledger.record(event.unit);
  const bool listens = record.state == UnitState::listening && record.ready;
  if (!listens || shutdown.under_way()) return;
  if (!machine.may_answer_connection(event.unit, turn)) return;
  const StartWish wish{event.unit, Cause::connection};
  propagation.start({&wish, 1}, true, turn);
}

void Supervisor::Impl::take(const Exited& event, const Turn& turn) {
  FOSTER_CHECK(event.how.kind != ExitKind::none && event.how.kind != ExitKind::spawn);
  machine.exited(event, turn);
}

void Supervisor::Impl::begin_shutdown(const Turn& turn) {
  turn.actions.emplace_back(Note{.kind = NoteKind::shutdown,
                                 .about_unit = false,
                                 .cause = Cause::shutdown,
                                 .value = shutdown.exit_code()});
  std::vector<StopWish> wishes;
  wishes.reserve(ledger.size());
  for (uint32_t i = 0; i < ledger.size(); ++i)
    wishes.push_back({.unit = {i}, .cause = Cause::shutdown});
  propagation.stop(wishes, turn);
}

/// The first that ends all of foster with it decides the exit code.
void Supervisor::Impl::ends_all(UnitIndex unit, const Turn& turn) {
  const UnitRecord& record = ledger.record(unit);
  const UnitSpec& spec = ledger.spec(unit);
  const bool by_limit =
      record.cause == Cause::rate_limited && spec.restart.limit_action == LimitAction::stop_all;
  if (!spec.essential && !by_limit) return;
  if (record.state != UnitState::exited && record.state != UnitState::failed) return;
  if (shutdown.essential_gone(final_exit_code(record))) begin_shutdown(turn);
}

/// What an event may have led to beyond the units it was about.
void Supervisor::Impl::conclude(const Turn& turn) {
  propagation.settle(turn);
  while (!machine.gone_for_good().empty()) {
    const std::vector<UnitIndex> gone = std::exchange(machine.gone_for_good(), {});
    for (const UnitIndex unit : gone)
      ends_all(unit, turn);
    propagation.settle(turn);
  }
  ledger.rearm(touched);
  if (!begun) return;
  for (const UnitIndex unit : touched)
    check(unit);
  if (!settled && !shutdown.under_way() && ledger.all_settled()) {
    settled = true;
    turn.actions.emplace_back(InitialUnitsSettled{});
  }
  const bool last_moment = shutdown.last_moment() && turn.now >= *shutdown.last_moment();
  if (shutdown.under_way() && (ledger.all_at_rest() || last_moment) && shutdown.end()) {
    turn.actions.emplace_back(EndDaemon{shutdown.exit_code()});
  }
}

void Supervisor::Impl::check(UnitIndex unit) const {
  const char* broken = broken_invariant(ledger.spec(unit), ledger.record(unit));
  if (broken != nullptr) check_failed(broken, ledger.spec(unit).name.c_str(), 0);
}

Supervisor::Supervisor(std::shared_ptr<const UnitSet> set, const Options& options)
    : impl_(std::make_unique<Impl>(std::move(set), options)) {}

Supervisor::~Supervisor() = default;

void Supervisor::recover(const Recovered& found, Instant now) {
  FOSTER_CHECK(!impl_->begun);
  Attempt last_attempt = found.last_attempt;
  for (const RecoveredUnit& unit : found.units) {
    FOSTER_CHECK(impl_->is_unit(unit.unit));
    UnitRecord record = recovered_record(unit, set()[unit.unit], now);
    last_attempt = std::max({last_attempt, record.attempt, unit.live_attempt, unit.live_hook,
                             unit.live_check, unit.live_successor, record.hook.attempt,
                             record.check.attempt, record.successor.attempt});
    std::vector<LiveFormer> formers = unit.live_formers;
    if (unit.live_attempt.value != 0) formers.push_back({unit.live_attempt, unit.pid});
    for (const LiveFormer& former : formers) {
      if (former.attempt >= record.attempt) continue;
      const bool ended = former.attempt <= record.exit_attempt;
      impl_->machine.remember_former({unit.unit, former.attempt, ended ? 0 : former.pid, ended});
    }
    impl_->ledger.adopt(unit.unit, std::move(record));
    impl_->last_signals[unit.unit.value] = {unit.last_signal, unit.successor_signal,
                                            unit.overlapped_signal};
    impl_->known[unit.unit.value] = was_known(unit) ? 1 : 0;
    impl_->unwanted_found[unit.unit.value] = unit.unwanted ? 1 : 0;
  }
  impl_->machine.resume_after(last_attempt);
  impl_->jobs.resume_after(last_job_found(found));
  const std::optional<int> exit_code = shutdown_found(found, set());
  if (exit_code.has_value()) impl_->shutdown.resume(*exit_code);
}

void Supervisor::handle(const Event& event, Instant now, int64_t now_real_ns,
                        std::vector<Action>& actions) {
  if (impl_->shutdown.ended()) return;
  const Turn turn{now, now_real_ns, actions};
  std::visit(
      [&](const auto& decoded) {
        if constexpr (requires { decoded.unit; }) FOSTER_CHECK(impl_->is_unit(decoded.unit));
        impl_->take(decoded, turn);
      },
      event);
  impl_->conclude(turn);
}

void Supervisor::time_reached(Instant now, int64_t now_real_ns, std::vector<Action>& actions) {
  if (impl_->shutdown.ended()) return;
  const Turn turn{now, now_real_ns, actions};
  impl_->ledger.take_due(now, impl_->due);
  // Restarts come last: what they need may just have run out of time.
  const auto restarts = [&](UnitIndex unit) { return record(unit).state == UnitState::backoff; };
  const auto first_restart =
      std::ranges::stable_partition(impl_->due, std::not_fn(restarts)).begin();
  for (auto unit = impl_->due.begin(); unit != impl_->due.end(); ++unit) {
    if (unit == first_restart) impl_->propagation.settle(turn);
    impl_->machine.timer_fired(*unit, turn);
  }
  impl_->conclude(turn);
}

std::optional<Instant> Supervisor::next_deadline() const {
  if (impl_->shutdown.ended()) return std::nullopt;
  const std::optional<Instant> earliest = impl_->ledger.earliest_deadline();
  const std::optional<Instant> last = impl_->shutdown.last_moment();
  return earliest && last ? std::min(*earliest, *last) : earliest ? earliest : last;
}

std::vector<UnitIndex> Supervisor::take_changed() {
  return impl_->ledger.take_changed();
}

const UnitSet& Supervisor::set() const {
  return impl_->ledger.set();
}

const UnitRecord& Supervisor::record(UnitIndex unit) const {
  return impl_->ledger.record(unit);
}

Attempt Supervisor::last_attempt() const {
  return impl_->machine.last_attempt();
}

JobId Supervisor::last_job() const {
  return impl_->jobs.last();
}

bool Supervisor::shutting_down() const {
  return impl_->shutdown.under_way();
}

bool Supervisor::settled() const {
  return impl_->settled;
}

int Supervisor::exit_code() const {
  return impl_->shutdown.exit_code();
}

}  // namespace foster::core
