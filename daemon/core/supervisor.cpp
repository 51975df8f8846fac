#include "daemon/core/supervisor.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

#include "common/check.hpp"
#include "daemon/core/invariants.hpp"
#include "daemon/core/job_table.hpp"
#include "daemon/core/ledger.hpp"
#include "daemon/core/recovery.hpp"
#include "daemon/core/restart_policy.hpp"
#include "daemon/core/shutdown.hpp"
#include "daemon/core/unit_machine.hpp"

namespace foster::core {

struct Supervisor::Impl {
  Impl(std::shared_ptr<const UnitSet> set, const Options& options)
      : ledger(std::move(set)),
        machine(ledger, jobs, options.seed),
        last_signals(ledger.size(), 0),
        known(ledger.size(), 0) {}

  void take(const Begin& event, const Turn& turn);
  void take(const Request& event, const Turn& turn);
  void take(const SignalRequest& event, const Turn& turn);
  void take(const ShutdownRequest& event, const Turn& turn);
  void take(const Spawned& event, const Turn& turn);
  void take(const SpawnFailed& event, const Turn& turn);
  void take(const Exited& event, const Turn& turn);
  void take(const GroupEmptied& event, const Turn& turn);
  void take(const KillFailed& event, const Turn& turn);
  void take(const MaskChange& event, const Turn& turn);
  void take(const TimerElapsed& event, const Turn& turn);
  void take(const ConditionsChecked& event, const Turn& turn);
  void take(const ReadySeen& event, const Turn& turn);
  void take(const Notified& event, const Turn& turn);
  void take(const MainFound& event, const Turn& turn);
  void take(const MainNotFound& event, const Turn& turn);
  void take(const AdoptFailed& event, const Turn& turn);
  void take(const MemoryMeasured& event, const Turn& turn);

  void begin_unit(UnitIndex unit, bool first_manager, const Turn& turn);
  void begin_shutdown(const Turn& turn);
  void conclude(const Turn& turn);
  void check(UnitIndex unit) const;
  void check_all() const;
  [[nodiscard]] bool is_unit(UnitIndex unit) const { return unit.value < ledger.size(); }

  Ledger ledger;
  JobTable jobs;
  UnitMachine machine;
  Shutdown shutdown;
  std::vector<int> last_signals;  // by unit, from recovery until Begin
  std::vector<uint8_t> known;     // by unit, from recovery until Begin: there was a record
  std::vector<UnitIndex> due;
  bool begun = false;
  bool settled = false;
};

void Supervisor::Impl::take(const Begin& event, const Turn& turn) {
  FOSTER_CHECK(!begun);
  begun = true;
  for (uint32_t i = 0; i < ledger.size(); ++i)
    begin_unit({i}, event.first_manager, turn);
  last_signals = {};
  known = {};
  check_all();
}

void Supervisor::Impl::begin_unit(UnitIndex unit, bool first_manager, const Turn& turn) {
  if (shutdown.under_way()) {
    const UnitState state = ledger.record(unit).state;
    machine.shutdown_begun(unit, turn);
    if (!at_rest(state) && state != UnitState::stopping) return;
  } else if (first_manager || known[unit.value] == 0) {
    ledger.change(unit).goal = Goal::up;
  }
  machine.begun(unit, last_signals[unit.value], turn);
  if (ledger.record(unit).since.ns == 0) ledger.change(unit).since = turn.now;
  if (ledger.record(unit).goal == Goal::up) ledger.await_settling(unit);
}

void Supervisor::Impl::take(const Request& event, const Turn& turn) {
  FOSTER_CHECK(event.verb != Verb::none);
  FOSTER_CHECK(std::ranges::all_of(event.units, [&](UnitIndex unit) { return is_unit(unit); }));
  Reply reply{.token = event.token};
  if (shutdown.under_way() && event.verb != Verb::stop) {
    reply.refusal = Refusal::shutting_down;
    turn.actions.emplace_back(std::move(reply));
    return;
  }
  reply.jobs.reserve(event.units.size());
  for (const UnitIndex unit : event.units) {
    const UnitRecord& record = ledger.record(unit);
    turn.actions.emplace_back(Note{.kind = NoteKind::request,
                                   .unit = unit,
                                   .state = record.state,
                                   .cause = Cause::request,
                                   .attempt = record.attempt,
                                   .pid = record.pid,
                                   .text = verb_text(event.verb)});
    reply.jobs.push_back({unit, machine.requested(unit, event.verb, turn)});
    check(unit);
  }
  turn.actions.emplace_back(std::move(reply));
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
  switch (shutdown.requested(event.exit_code)) {
    case Shutdown::Step::begin:
      begin_shutdown(turn);
      break;
    case Shutdown::Step::hurry:
      for (uint32_t i = 0; i < ledger.size(); ++i)
        machine.hurried({i}, turn);
      break;
    case Shutdown::Step::wait:
      break;
  }
  check_all();
}

void Supervisor::Impl::take(const Spawned& event, const Turn& turn) {
  FOSTER_CHECK(is_unit(event.unit));
  machine.spawned(event, turn);
  check(event.unit);
}

void Supervisor::Impl::take(const SpawnFailed& event, const Turn& turn) {
  FOSTER_CHECK(is_unit(event.unit));
  machine.spawn_failed(event, turn);
  check(event.unit);
}

void Supervisor::Impl::take(const Exited& event, const Turn& turn) {
  FOSTER_CHECK(is_unit(event.unit));
  FOSTER_CHECK(event.how.kind != ExitKind::none && event.how.kind != ExitKind::spawn);
  machine.exited(event, turn);
  check(event.unit);
}

void Supervisor::Impl::take(const GroupEmptied& event, const Turn& turn) {
  FOSTER_CHECK(is_unit(event.unit));
  machine.group_emptied(event, turn);
  check(event.unit);
}

void Supervisor::Impl::take(const KillFailed& event, const Turn& turn) {
  FOSTER_CHECK(is_unit(event.unit));
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

void Supervisor::Impl::take(const MaskChange& event, const Turn& /*turn*/) {
  FOSTER_CHECK(is_unit(event.unit));
}

void Supervisor::Impl::take(const TimerElapsed& event, const Turn& /*turn*/) {
  FOSTER_CHECK(is_unit(event.unit));
}

void Supervisor::Impl::take(const ConditionsChecked& event, const Turn& /*turn*/) {
  FOSTER_CHECK(is_unit(event.unit));
}

void Supervisor::Impl::take(const ReadySeen& event, const Turn& /*turn*/) {
  FOSTER_CHECK(is_unit(event.unit));
}

void Supervisor::Impl::take(const Notified& event, const Turn& /*turn*/) {
  FOSTER_CHECK(is_unit(event.unit));
}

void Supervisor::Impl::take(const MainFound& event, const Turn& /*turn*/) {
  FOSTER_CHECK(is_unit(event.unit));
}

void Supervisor::Impl::take(const MainNotFound& event, const Turn& /*turn*/) {
  FOSTER_CHECK(is_unit(event.unit));
}

void Supervisor::Impl::take(const AdoptFailed& event, const Turn& /*turn*/) {
  FOSTER_CHECK(is_unit(event.unit));
}

void Supervisor::Impl::take(const MemoryMeasured& event, const Turn& /*turn*/) {
  FOSTER_CHECK(is_unit(event.unit));
}

void Supervisor::Impl::begin_shutdown(const Turn& turn) {
  turn.actions.emplace_back(Note{.kind = NoteKind::shutdown,
                                 .about_unit = false,
                                 .cause = Cause::shutdown,
                                 .value = shutdown.exit_code()});
  for (uint32_t i = 0; i < ledger.size(); ++i)
    machine.shutdown_begun({i}, turn);
}

/// What an event may have led to beyond the units it was about.
void Supervisor::Impl::conclude(const Turn& turn) {
  std::vector<UnitIndex>& gone = machine.gone_for_good();
  for (const UnitIndex unit : gone) {
    if (!ledger.spec(unit).essential) continue;
    if (!shutdown.essential_gone(exit_code_for(ledger.record(unit).last_exit))) continue;
    begin_shutdown(turn);
    check_all();
  }
  gone.clear();
  if (!begun) return;
  if (!settled && !shutdown.under_way() && ledger.all_settled()) {
    settled = true;
    turn.actions.emplace_back(InitialUnitsSettled{});
  }
  if (shutdown.under_way() && ledger.all_at_rest() && shutdown.end()) {
    turn.actions.emplace_back(EndDaemon{shutdown.exit_code()});
  }
}

void Supervisor::Impl::check(UnitIndex unit) const {
  const char* broken = broken_invariant(ledger.spec(unit), ledger.record(unit));
  if (broken != nullptr) check_failed(broken, ledger.spec(unit).name.c_str(), 0);
}

void Supervisor::Impl::check_all() const {
  for (uint32_t i = 0; i < ledger.size(); ++i)
    check({i});
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
    last_attempt = std::max({last_attempt, record.attempt, unit.live_attempt});
    impl_->ledger.adopt(unit.unit, std::move(record));
    impl_->last_signals[unit.unit.value] = unit.last_signal;
    impl_->known[unit.unit.value] = was_known(unit) ? 1 : 0;
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
  std::visit([&](const auto& decoded) { impl_->take(decoded, turn); }, event);
  impl_->conclude(turn);
}

void Supervisor::time_reached(Instant now, int64_t now_real_ns, std::vector<Action>& actions) {
  const Turn turn{now, now_real_ns, actions};
  impl_->ledger.take_due(now, impl_->due);
  for (const UnitIndex unit : impl_->due) {
    impl_->machine.timer_fired(unit, turn);
    impl_->check(unit);
  }
  impl_->conclude(turn);
}

std::optional<Instant> Supervisor::next_deadline() const {
  return impl_->ledger.earliest_deadline();
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
