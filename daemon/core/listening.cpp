// Units whose sockets are there before they run: something comes to one of them, and starts them.
#include "common/unit/duration_text.hpp"
#include "daemon/core/gate.hpp"
#include "daemon/core/unit_machine.hpp"

namespace foster::core {
namespace {

/// Windows follow each other: one begins with its first start.
bool take_trigger_start(const DescriptorsSpec& spec, UnitRecord& record, Instant now) {
  if (spec.trigger_limit == 0) return true;
  if (record.trigger_count == 0 || now - record.trigger_start >= spec.trigger_interval) {
    record.trigger_start = now;
    record.trigger_count = 0;
  }
  if (record.trigger_count >= spec.trigger_limit) return false;
  ++record.trigger_count;
  return true;
}

std::string trigger_limit_text(const DescriptorsSpec& spec) {
  return "started by a connection " + std::to_string(spec.trigger_limit) +
         (spec.trigger_limit == 1 ? " time" : " times") + " within " +
         format_duration(spec.trigger_interval);
}

}  // namespace

/// The shell opens the sockets and watches them, once it sees the unit there, and says so.
void UnitMachine::listen(UnitIndex unit, Cause cause, const Turn& turn) {
  if (record(unit).masked) return masked_failed(unit, turn);
  UnitRecord& record = ledger_.change(unit);
  record.started = {};
  record.running = {};
  record.ready = takes_connections(spec(unit), record);  // they stay open over its runs
  record.was_up = true;                                  // by its sockets
  record.failures = 0;
  record.pid = 0;
  record.service_errno = 0;
  record.status_text.clear();
  record.detail.clear();
  if (record.ready) JobTable::finish(record, JobResult::done);
  ledger_.enter(unit, UnitState::listening, cause, turn);
}

void UnitMachine::sockets_opened(UnitIndex unit) {
  const UnitRecord& known = record(unit);
  if (known.state != UnitState::listening || known.ready) return;
  UnitRecord& record = ledger_.change(unit);
  record.ready = true;
  JobTable::finish(record, JobResult::done);
  ledger_.settle(unit);
  ledger_.move(unit);
}

bool UnitMachine::may_answer_connection(UnitIndex unit, const Turn& turn) {
  const DescriptorsSpec& descriptors = *spec(unit).descriptors;
  if (take_trigger_start(descriptors, ledger_.change(unit), turn.now)) return true;
  limit_reached(unit, trigger_limit_text(descriptors), turn);
  return false;
}

void UnitMachine::listen_failed(const ListenFailed& event, const Turn& turn) {
  if (record(event.unit).state != UnitState::listening) return;
  ledger_.change(event.unit).detail = event.message;
  fail_for_good(event.unit, Cause::spawn_failed, 0, turn);
}

}  // namespace foster::core
