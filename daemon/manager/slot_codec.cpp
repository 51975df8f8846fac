#include "daemon/manager/slot_codec.hpp"

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <string_view>

namespace foster::manager {
namespace {

// The two sides count their enumerators alike, so that encoding is a cast.
static_assert(static_cast<int>(core::UnitState::stopped) == FOSTER_STATE_STOPPED);
static_assert(static_cast<int>(core::UnitState::starting) == FOSTER_STATE_STARTING);
static_assert(static_cast<int>(core::UnitState::running) == FOSTER_STATE_RUNNING);
static_assert(static_cast<int>(core::UnitState::stopping) == FOSTER_STATE_STOPPING);
static_assert(static_cast<int>(core::UnitState::backoff) == FOSTER_STATE_BACKOFF);
static_assert(static_cast<int>(core::UnitState::exited) == FOSTER_STATE_EXITED);
static_assert(static_cast<int>(core::UnitState::failed) == FOSTER_STATE_FAILED);
static_assert(static_cast<int>(core::UnitState::waiting) == FOSTER_STATE_WAITING);
static_assert(static_cast<int>(core::UnitState::skipped) == FOSTER_STATE_SKIPPED);
static_assert(static_cast<int>(core::UnitState::listening) == FOSTER_STATE_LISTENING);
static_assert(static_cast<int>(core::Step::conditions) == FOSTER_STEP_CONDITIONS);
static_assert(static_cast<int>(core::Step::find_main) == FOSTER_STEP_FIND_MAIN);
static_assert(static_cast<int>(core::Step::reload) == FOSTER_STEP_RELOAD);
static_assert(static_cast<int>(core::Step::dependents) == FOSTER_STEP_DEPENDENTS);
static_assert(static_cast<int>(core::Step::post_stop) == FOSTER_STEP_POST_STOP);
static_assert(static_cast<int>(core::Step::overlap) == FOSTER_STEP_OVERLAP);
static_assert(static_cast<int>(core::Role::main) == FOSTER_ROLE_MAIN);
static_assert(static_cast<int>(core::Role::post_stop) == FOSTER_ROLE_POST_STOP);
static_assert(static_cast<int>(core::Role::health_check) == FOSTER_ROLE_HEALTH_CHECK);
static_assert(static_cast<int>(core::Role::successor) == FOSTER_ROLE_SUCCESSOR);
static_assert(static_cast<int>(core::Health::starting) == FOSTER_HEALTH_STARTING);
static_assert(static_cast<int>(core::Health::unhealthy) == FOSTER_HEALTH_UNHEALTHY);
static_assert(static_cast<int>(core::Goal::up) == FOSTER_GOAL_UP);
static_assert(static_cast<int>(core::Cause::boot) == FOSTER_CAUSE_BOOT);
static_assert(static_cast<int>(core::Cause::stop_timeout) == FOSTER_CAUSE_STOP_TIMEOUT);
static_assert(static_cast<int>(core::Cause::dependency) == FOSTER_CAUSE_DEPENDENCY);
static_assert(static_cast<int>(core::Cause::start_timeout) == FOSTER_CAUSE_START_TIMEOUT);
static_assert(static_cast<int>(core::Cause::watchdog) == FOSTER_CAUSE_WATCHDOG);
static_assert(static_cast<int>(core::Cause::masked) == FOSTER_CAUSE_MASKED);
static_assert(static_cast<int>(core::Cause::connection) == FOSTER_CAUSE_CONNECTION);
static_assert(static_cast<int>(core::ExitKind::spawn) == FOSTER_EXIT_SPAWN);
static_assert(static_cast<int>(core::JobResult::superseded) == FOSTER_JOB_SUPERSEDED);
static_assert(static_cast<int>(ServiceType::simple) == FOSTER_TYPE_SIMPLE);
static_assert(static_cast<int>(ServiceType::oneshot) == FOSTER_TYPE_ONESHOT);
static_assert(static_cast<int>(ServiceType::notify) == FOSTER_TYPE_NOTIFY);
static_assert(static_cast<int>(ServiceType::forking) == FOSTER_TYPE_FORKING);
static_assert(static_cast<int>(ServiceType::group) == FOSTER_TYPE_GROUP);
static_assert(core::kJobOutcomes == FOSTER_JOB_RESULTS);

constexpr unsigned kResultBits = 8;
constexpr uint64_t kResultMask = (1u << kResultBits) - 1;

constexpr std::string_view kCutMark = "\u2026";  // an ellipsis, three bytes

/// Where a longer text is cut: most of its end stays, because that is where the reason stands.
constexpr size_t kHeadMost = 40;

/// Of UTF-8, whose continuation bytes begin with binary 10.
bool within_character(const std::string& text, size_t at) {
  return at < text.size() && (static_cast<unsigned char>(text[at]) & 0xc0) == 0x80;
}

void copy_text(char (&into)[FOSTER_TEXT_SIZE], const std::string& text) {
  std::memset(into, 0, FOSTER_TEXT_SIZE);
  if (text.size() < FOSTER_TEXT_SIZE) {
    text.copy(into, text.size());
    return;
  }
  size_t head = kHeadMost;
  while (head > 0 && within_character(text, head))
    --head;
  size_t tail = text.size() - (FOSTER_TEXT_SIZE - 1 - kCutMark.size() - head);
  while (within_character(text, tail))
    ++tail;
  text.copy(into, head);
  kCutMark.copy(into + head, kCutMark.size());
  text.copy(into + head + kCutMark.size(), std::string::npos, tail);
}

uint8_t event_kind(core::NoteKind kind) {
  switch (kind) {
    case core::NoteKind::state:
      return FOSTER_EVENT_STATE;
    case core::NoteKind::exit:
      return FOSTER_EVENT_EXIT;
    case core::NoteKind::signal:
      return FOSTER_EVENT_SIGNAL;
    case core::NoteKind::request:
      return FOSTER_EVENT_REQUEST;
    case core::NoteKind::shutdown:
      return FOSTER_EVENT_SHUTDOWN;
    case core::NoteKind::hook:
      return FOSTER_EVENT_HOOK;
    case core::NoteKind::health:
      return FOSTER_EVENT_HEALTH;
    case core::NoteKind::ready:
      return FOSTER_EVENT_READY;
  }
  return FOSTER_EVENT_STATE;
}

void encode_exit(const core::LastExit& last, foster_slot_body& body) {
  body.exit_kind = static_cast<uint8_t>(last.kind);
  body.exit_value = last.value;
  body.exit_boot_ns = last.at.ns;
  body.exit_real_ns = last.at_real_ns;
  body.exit_user_us = last.user_us;
  body.exit_system_us = last.system_us;
  body.exit_max_rss_kib = last.max_rss_kib;
}

core::LastExit decode_exit(const foster_slot_body& body) {
  return {.kind = static_cast<core::ExitKind>(body.exit_kind),
          .value = body.exit_value,
          .clean = (body.flags & FOSTER_FLAG_EXIT_CLEAN) != 0,
          .at = {body.exit_boot_ns},
          .at_real_ns = body.exit_real_ns,
          .user_us = body.exit_user_us,
          .system_us = body.exit_system_us,
          .max_rss_kib = body.exit_max_rss_kib};
}

std::string read_text(const char (&text)[FOSTER_TEXT_SIZE]) {
  return {text, strnlen(text, FOSTER_TEXT_SIZE)};
}

uint32_t encode_flags(const core::UnitRecord& record, const UnitSpec& unit) {
  const auto flag = [](bool set, uint32_t bit) { return set ? bit : 0u; };
  return flag(record.killed, FOSTER_FLAG_KILLED) | flag(unit.essential, FOSTER_FLAG_ESSENTIAL) |
         flag(record.ready, FOSTER_FLAG_READY) | flag(record.was_up, FOSTER_FLAG_WAS_UP) |
         flag(record.last_exit.clean, FOSTER_FLAG_EXIT_CLEAN) |
         flag(record.hook.killed, FOSTER_FLAG_HOOK_KILLED) |
         flag(record.check.killed, FOSTER_FLAG_CHECK_KILLED) |
         flag(record.successor.killed, FOSTER_FLAG_SUCCESSOR_KILLED) |
         flag(record.successor.ready, FOSTER_FLAG_SUCCESSOR_READY) |
         flag(record.former.killed, FOSTER_FLAG_FORMER_KILLED);
}

void decode_flags(uint32_t flags, core::UnitRecord& record) {
  record.killed = (flags & FOSTER_FLAG_KILLED) != 0;
  record.ready = (flags & FOSTER_FLAG_READY) != 0;
  record.was_up = (flags & FOSTER_FLAG_WAS_UP) != 0;
  record.hook.killed = (flags & FOSTER_FLAG_HOOK_KILLED) != 0;
  record.check.killed = (flags & FOSTER_FLAG_CHECK_KILLED) != 0;
  record.successor.killed = (flags & FOSTER_FLAG_SUCCESSOR_KILLED) != 0;
  record.successor.ready = (flags & FOSTER_FLAG_SUCCESSOR_READY) != 0;
  record.former.killed = (flags & FOSTER_FLAG_FORMER_KILLED) != 0;
}

void encode_side_runs(const core::UnitRecord& record, foster_slot_body& body) {
  body.hook_role = static_cast<uint8_t>(record.hook.role);
  body.hook_index = record.hook.index;
  body.hook_pid = record.hook.pid;
  body.hook_attempt = record.hook.attempt.value;
  body.hook_deadline_boot_ns = record.hook.deadline.ns;
  body.check_role = static_cast<uint8_t>(record.check.role);
  body.check_index = record.check.index;
  body.check_pid = record.check.pid;
  body.check_attempt = record.check.attempt.value;
  body.check_deadline_boot_ns = record.check.deadline.ns;
}

void encode_overlap(const core::UnitRecord& record, foster_slot_body& body) {
  body.successor_pid = record.successor.pid;
  body.successor_attempt = record.successor.attempt.value;
  body.successor_deadline_boot_ns = record.successor.deadline.ns;
  body.former_pid = record.former.pid;
  body.former_attempt = record.former.attempt.value;
  body.former_deadline_boot_ns = record.former.deadline.ns;
}

void decode_overlap(const foster_slot_body& body, core::UnitRecord& record) {
  if (body.successor_attempt != 0) record.successor.role = core::Role::successor;
  record.successor.pid = body.successor_pid;
  record.successor.attempt = {body.successor_attempt};
  record.successor.deadline = {body.successor_deadline_boot_ns};
  record.former.pid = body.former_pid;
  record.former.attempt = {body.former_attempt};
  record.former.deadline = {body.former_deadline_boot_ns};
}

void encode_facts(const SlotFacts& facts, foster_slot_body& body) {
  body.enablement = facts.enablement;
  body.timer_next_real_ns = facts.timer_next_real_ns;
  body.socket_count = facts.socket_count;
  body.held_count = facts.held_count;
  std::ranges::copy(facts.socket_ports, body.socket_ports);
}

void decode_side_runs(const foster_slot_body& body, core::UnitRecord& record) {
  record.hook.role = static_cast<core::Role>(body.hook_role);
  record.hook.index = body.hook_index;
  record.hook.pid = body.hook_pid;
  record.hook.attempt = {body.hook_attempt};
  record.hook.deadline = {body.hook_deadline_boot_ns};
  record.check.role = static_cast<core::Role>(body.check_role);
  record.check.index = body.check_index;
  record.check.pid = body.check_pid;
  record.check.attempt = {body.check_attempt};
  record.check.deadline = {body.check_deadline_boot_ns};
}

void encode_times(const core::UnitRecord& record, Now now, foster_slot_body& body) {
  body.window_start_boot_ns = record.window_start.ns;
  body.trigger_start_boot_ns = record.trigger_start.ns;
  body.since_boot_ns = record.since.ns;
  body.since_real_ns = now.real_ns - (now.boot - record.since).count();
  body.started_boot_ns = record.started.ns;
  body.running_boot_ns = record.running.ns;
  body.deadline_boot_ns = record.deadline.ns;
  body.start_deadline_boot_ns = record.start_deadline.ns;
  body.watchdog_deadline_boot_ns = record.watchdog_deadline.ns;
  body.runtime_deadline_boot_ns = record.runtime_deadline.ns;
  body.check_next_boot_ns = record.check_next.ns;
  body.watchdog_ns = record.watchdog.count();
}

void decode_times(const foster_slot_body& body, core::UnitRecord& record) {
  record.window_start = {body.window_start_boot_ns};
  record.trigger_start = {body.trigger_start_boot_ns};
  record.since = {body.since_boot_ns};
  record.started = {body.started_boot_ns};
  record.running = {body.running_boot_ns};
  record.deadline = {body.deadline_boot_ns};
  record.start_deadline = {body.start_deadline_boot_ns};
  record.watchdog_deadline = {body.watchdog_deadline_boot_ns};
  record.runtime_deadline = {body.runtime_deadline_boot_ns};
  record.check_next = {body.check_next_boot_ns};
  record.watchdog = Duration(body.watchdog_ns);
}

void encode_jobs(const core::UnitRecord& record, foster_slot_body& body) {
  body.job = record.job.value << kResultBits | static_cast<uint8_t>(record.job_verb);
  for (size_t i = 0; i < core::kJobOutcomes; ++i)
    body.job_results[i] = record.job_outcomes[i].job.value << kResultBits |
                          static_cast<uint8_t>(record.job_outcomes[i].result);
}

void decode_jobs(const foster_slot_body& body, core::UnitRecord& record) {
  record.job = {body.job >> kResultBits};
  record.job_verb = static_cast<core::Verb>(body.job & kResultMask);
  for (size_t i = 0; i < core::kJobOutcomes; ++i)
    record.job_outcomes[i] = {
        .job = {body.job_results[i] >> kResultBits},
        .result = static_cast<core::JobResult>(body.job_results[i] & kResultMask)};
}

}  // namespace

foster_slot_body encode_slot(const core::UnitRecord& record, const UnitSpec& unit,
                             const SlotFacts& facts, Now now) {
  foster_slot_body body{};
  body.state = static_cast<uint8_t>(record.state);
  body.goal = static_cast<uint8_t>(record.goal);
  body.type = static_cast<uint8_t>(unit.type);
  body.cause = static_cast<uint8_t>(record.cause);
  body.step = static_cast<uint8_t>(record.step);
  body.health = static_cast<uint8_t>(record.health);
  body.flags = encode_flags(record, unit);
  body.blocker = record.blocker;
  body.pid = record.pid;
  body.restarts = record.restarts;
  body.failures = record.failures;
  body.window_count = record.window_count;
  body.trigger_count = record.trigger_count;
  body.check_failures = record.check_failures;
  body.check_successes = record.check_successes;
  body.service_errno = record.service_errno;
  body.command_index = record.command_index;
  body.claimed_pid = record.claimed_pid;
  body.attempt = record.attempt.value;
  body.exit_attempt = record.exit_attempt.value;
  body.exits = record.exits;
  encode_facts(facts, body);
  encode_times(record, now, body);
  encode_side_runs(record, body);
  encode_overlap(record, body);
  encode_exit(record.last_exit, body);
  encode_jobs(record, body);
  copy_text(body.status_text, record.status_text);
  copy_text(body.detail, record.detail);
  return body;
}

core::UnitRecord decode_slot(const foster_slot_body& body) {
  core::UnitRecord record;
  record.state = static_cast<core::UnitState>(body.state);
  record.goal = static_cast<core::Goal>(body.goal);
  record.cause = static_cast<core::Cause>(body.cause);
  record.step = static_cast<core::Step>(body.step);
  record.health = static_cast<core::Health>(body.health);
  record.masked = body.enablement == FOSTER_MASKED;
  record.blocker = body.blocker;
  record.attempt = {body.attempt};
  record.pid = body.pid;
  record.exit_attempt = {body.exit_attempt};
  record.exits = body.exits;
  record.restarts = body.restarts;
  record.failures = body.failures;
  record.window_count = body.window_count;
  record.trigger_count = body.trigger_count;
  record.check_failures = body.check_failures;
  record.check_successes = body.check_successes;
  record.service_errno = body.service_errno;
  record.command_index = body.command_index;
  record.claimed_pid = body.claimed_pid;
  decode_flags(body.flags, record);
  decode_times(body, record);
  decode_side_runs(body, record);
  decode_overlap(body, record);
  decode_jobs(body, record);
  record.last_exit = decode_exit(body);
  record.status_text = read_text(body.status_text);
  record.detail = read_text(body.detail);
  return record;
}

foster_event encode_event(const core::Note& note, const std::string& name, Now now) {
  foster_event event{};
  event.boot_ns = now.boot.ns;
  event.real_ns = now.real_ns;
  event.attempt = note.attempt.value;
  event.pid = note.pid;
  event.value = note.value;
  event.kind = event_kind(note.kind);
  event.state = static_cast<uint8_t>(note.state);
  event.cause = static_cast<uint8_t>(note.cause);
  event.exit_kind = static_cast<uint8_t>(note.exit_kind);
  name.copy(event.name, FOSTER_NAME_SIZE - 1);
  copy_text(event.text, note.text);
  return event;
}

}  // namespace foster::manager
