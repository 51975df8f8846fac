#include "daemon/manager/notify_access.hpp"

namespace foster::manager {
namespace {

using core::Step;
using core::UnitRecord;
using core::UnitState;

bool is_main(const UnitRecord& record, int32_t pid) {
  return pid > 0 && (pid == record.pid || pid == record.claimed_pid ||
                     pid == record.successor.pid || pid == record.former.pid);
}

bool is_exec(const UnitRecord& record, int32_t pid) {
  return is_main(record, pid) || (pid > 0 && (pid == record.hook.pid || pid == record.check.pid));
}

bool is_of_unit(const UnitRecord& record, const Sender& sender) {
  if (is_exec(record, sender.pid)) return true;
  // The keeper makes each process that it starts the leader of a session and a group.
  if (is_exec(record, sender.group) || is_exec(record, sender.session)) return true;
  return sender.trusted && (sender.gone || sender.marked);
}

bool main_is_unknown(const UnitSpec& unit, const UnitRecord& record) {
  return unit.type == ServiceType::forking && record.state == UnitState::starting &&
         (record.step == Step::command || record.step == Step::find_main);
}

Verdict judge(NotifyAccess access, const UnitRecord& record, const Sender& sender) {
  switch (access) {
    case NotifyAccess::main:
      return is_main(record, sender.pid) ? Verdict::admitted : Verdict::not_main;
    case NotifyAccess::exec:
      return is_exec(record, sender.pid) ? Verdict::admitted : Verdict::not_exec;
    case NotifyAccess::all:
      return is_of_unit(record, sender) ? Verdict::admitted : Verdict::not_of_unit;
  }
  return Verdict::not_of_unit;
}

NotifyAccess access_now(const UnitSpec& unit, const UnitRecord& record) {
  return main_is_unknown(unit, record) ? NotifyAccess::all : unit.notify_access;
}

bool under_way(const core::SideRun& run) {
  return run.attempt.value != 0 && run.pid == 0;
}

}  // namespace

bool pid_is_under_way(const UnitSpec& unit, const UnitRecord& record) {
  const bool starts_commands =
      record.state == UnitState::starting || record.state == UnitState::running;
  if (starts_commands && record.step == Step::command && record.pid == 0) return true;
  if (under_way(record.successor)) return true;
  if (access_now(unit, record) == NotifyAccess::main) return false;
  return under_way(record.hook) || under_way(record.check);
}

Attempt attempt_of(const UnitRecord& record, const Sender& sender) {
  for (const core::SideRun* run : {&record.successor, &record.former})
    if (run->pid > 0 && (run->pid == sender.pid || run->pid == sender.group)) return run->attempt;
  return {};
}

Verdict judge_sender(const UnitSpec& unit, const UnitRecord& record, const Sender& sender) {
  // Also what would be admitted for its group or environment waits: the core is to know of the
  // process before it hears from it.
  if (!is_exec(record, sender.pid) && pid_is_under_way(unit, record)) return Verdict::too_early;
  return judge(access_now(unit, record), record, sender);
}

bool may_be_main(const UnitRecord& record, const Sender& sender, bool privileged,
                 const Named& named) {
  if (is_main(record, named.pid)) return true;
  if (named.of_another) return false;
  if (privileged) return true;
  if (!named.alive) return false;
  return named.marked || is_exec(record, named.group) || is_exec(record, named.session) ||
         named.uid == sender.uid;
}

const char* refusal_text(Verdict verdict) {
  switch (verdict) {
    case Verdict::admitted:
    case Verdict::too_early:
      break;
    case Verdict::not_main:
      return "it is not the unit's main process, and notify-access is \"main\"";
    case Verdict::not_exec:
      return "it is neither the unit's main process nor one of its hooks or checks, and "
             "notify-access is \"exec\"";
    case Verdict::not_of_unit:
      return "it is no process of the unit";
  }
  return "";
}

}  // namespace foster::manager
