#include "daemon/manager/slot_codec.hpp"

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
static_assert(static_cast<int>(core::Goal::up) == FOSTER_GOAL_UP);
static_assert(static_cast<int>(core::Cause::boot) == FOSTER_CAUSE_BOOT);
static_assert(static_cast<int>(core::Cause::stop_timeout) == FOSTER_CAUSE_STOP_TIMEOUT);
static_assert(static_cast<int>(core::ExitKind::spawn) == FOSTER_EXIT_SPAWN);
static_assert(static_cast<int>(core::JobResult::superseded) == FOSTER_JOB_SUPERSEDED);
static_assert(core::kJobOutcomes == FOSTER_JOB_RESULTS);

constexpr unsigned kResultBits = 8;
constexpr uint64_t kResultMask = (1u << kResultBits) - 1;

constexpr std::string_view kCutMark = "\u2026";  // an ellipsis, three bytes

void copy_text(char (&into)[FOSTER_TEXT_SIZE], const std::string& text) {
  const bool whole = text.size() < FOSTER_TEXT_SIZE;
  size_t length = whole ? text.size() : FOSTER_TEXT_SIZE - 1 - kCutMark.size();
  // Not in the middle of a character: continuation bytes of UTF-8 begin with binary 10.
  while (!whole && length > 0 && (static_cast<unsigned char>(text[length]) & 0xc0) == 0x80)
    --length;
  std::memset(into, 0, FOSTER_TEXT_SIZE);
  text.copy(into, length);
  if (!whole) kCutMark.copy(into + length, kCutMark.size());
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
  }
  return FOSTER_EVENT_STATE;
}

void encode_exit(const core::LastExit& last, foster_slot_body& body) {
  body.exit_kind = static_cast<uint8_t>(last.kind);
  body.exit_value = last.value;
  body.exit_clean = last.clean ? 1 : 0;
  body.exit_boot_ns = last.at.ns;
  body.exit_real_ns = last.at_real_ns;
  body.exit_user_us = last.user_us;
  body.exit_system_us = last.system_us;
  body.exit_max_rss_kib = last.max_rss_kib;
}

core::LastExit decode_exit(const foster_slot_body& body) {
  return {.kind = static_cast<core::ExitKind>(body.exit_kind),
          .value = body.exit_value,
          .clean = body.exit_clean != 0,
          .at = {body.exit_boot_ns},
          .at_real_ns = body.exit_real_ns,
          .user_us = body.exit_user_us,
          .system_us = body.exit_system_us,
          .max_rss_kib = body.exit_max_rss_kib};
}

}  // namespace

foster_slot_body encode_slot(const core::UnitRecord& record, const UnitSpec& unit, Instant now,
                             int64_t now_real_ns) {
  foster_slot_body body{};
  body.state = static_cast<uint8_t>(record.state);
  body.goal = static_cast<uint8_t>(record.goal);
  body.type = unit.type == ServiceType::oneshot ? FOSTER_TYPE_ONESHOT : FOSTER_TYPE_SIMPLE;
  body.cause = static_cast<uint8_t>(record.cause);
  body.killed = record.killed ? 1 : 0;
  body.essential = unit.essential ? 1 : 0;
  body.pid = record.pid;
  body.restarts = record.restarts;
  body.failures = record.failures;
  body.window_count = record.window_count;
  body.window_start_boot_ns = record.window_start.ns;
  body.attempt = record.attempt.value;
  body.exit_attempt = record.exit_attempt.value;
  body.exits = record.exits;
  body.since_boot_ns = record.since.ns;
  body.since_real_ns = now_real_ns - (now - record.since).count();
  body.started_boot_ns = record.started.ns;
  body.running_boot_ns = record.running.ns;
  body.deadline_boot_ns = record.deadline.ns;
  encode_exit(record.last_exit, body);
  body.job = record.job.value << kResultBits | static_cast<uint8_t>(record.job_verb);
  for (size_t i = 0; i < core::kJobOutcomes; ++i)
    body.job_results[i] = record.job_outcomes[i].job.value << kResultBits |
                          static_cast<uint8_t>(record.job_outcomes[i].result);
  copy_text(body.detail, record.detail);
  return body;
}

core::UnitRecord decode_slot(const foster_slot_body& body) {
  core::UnitRecord record;
  record.state = static_cast<core::UnitState>(body.state);
  record.goal = static_cast<core::Goal>(body.goal);
  record.cause = static_cast<core::Cause>(body.cause);
  record.killed = body.killed != 0;
  record.attempt = {body.attempt};
  record.pid = body.pid;
  record.exit_attempt = {body.exit_attempt};
  record.exits = body.exits;
  record.restarts = body.restarts;
  record.failures = body.failures;
  record.window_start = {body.window_start_boot_ns};
  record.window_count = body.window_count;
  record.since = {body.since_boot_ns};
  record.started = {body.started_boot_ns};
  record.running = {body.running_boot_ns};
  record.deadline = {body.deadline_boot_ns};
  record.last_exit = decode_exit(body);
  record.detail = std::string(body.detail, strnlen(body.detail, FOSTER_TEXT_SIZE));
  record.job = {body.job >> kResultBits};
  record.job_verb = static_cast<core::Verb>(body.job & kResultMask);
  for (size_t i = 0; i < core::kJobOutcomes; ++i)
    record.job_outcomes[i] = {
        .job = {body.job_results[i] >> kResultBits},
        .result = static_cast<core::JobResult>(body.job_results[i] & kResultMask)};
  return record;
}

foster_event encode_event(const core::Note& note, const std::string& name, Instant now,
                          int64_t now_real_ns) {
  foster_event event{};
  event.boot_ns = now.ns;
  event.real_ns = now_real_ns;
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
