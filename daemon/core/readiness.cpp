#include "daemon/core/readiness.hpp"

#include "common/check.hpp"
#include "daemon/core/unit_machine.hpp"

namespace foster::core {
namespace {

bool may_become_ready(const UnitRecord& record) {
  return record.state == UnitState::starting && !record.ready && record.step >= Step::command &&
         record.step <= Step::ready;
}

}  // namespace

ReadyKind ready_kind(const UnitSpec& spec) {
  if (spec.ready && spec.ready->kind != ReadyKind::none) return spec.ready->kind;
  return spec.type == ServiceType::notify ? ReadyKind::notify : ReadyKind::none;
}

bool is_checked(ReadyKind kind) {
  switch (kind) {
    case ReadyKind::tcp:
    case ReadyKind::unix_socket:
    case ReadyKind::http:
    case ReadyKind::command:
      return true;
    case ReadyKind::none:
    case ReadyKind::notify:
    case ReadyKind::descriptor:
    case ReadyKind::file:
    case ReadyKind::output:
      return false;
  }
  FOSTER_CHECK(false);
}

void UnitMachine::await_ready(UnitIndex unit, const Turn& turn) {
  UnitRecord& record = ledger_.change(unit);
  record.step = Step::ready;
  if (is_checked(ready_kind(spec(unit)))) check_due(unit, turn);
}

void UnitMachine::ready_seen(const ReadySeen& event, const Turn& turn) {
  const UnitRecord& known = record(event.unit);
  if (event.attempt.value != 0 && event.attempt == known.successor.attempt) {
    return successor_ready(event.unit, turn);
  }
  // A forking unit's readiness may be seen of the command, of which the main process is born.
  const bool of_command = spec(event.unit).type == ServiceType::forking &&
                          known.step == Step::ready && event.attempt == known.exit_attempt;
  const bool current = event.attempt == known.attempt || of_command;
  if (current && may_become_ready(known)) ready(event.unit, turn);
}

void UnitMachine::ready(UnitIndex unit, const Turn& turn) {
  UnitRecord& record = ledger_.change(unit);
  record.ready = true;
  note_ready(unit, "ready", turn);
  if (record.step != Step::ready) return;  // it was quicker than the news of its spawn
  if (record.check.attempt.value != 0) kill_side(unit, record.check, turn);
  finish_start(unit, turn);
}

}  // namespace foster::core
