#include "ctl/words.hpp"

#include <algorithm>
#include <cstring>
#include <ctime>
#include <span>

#include <fmt/format.h>

#include "common/signal_name.hpp"

namespace foster::ctl {
namespace {

constexpr int64_t kSecond = 1'000'000'000;

std::string_view word_at(std::span<const std::string_view> words, uint64_t index) {
  return index < words.size() ? words[index] : "unknown";
}

std::string detail_of(const foster_slot_body& body) {
  return std::string(field_text(body.detail, sizeof body.detail));
}

std::string last_exit_of(const foster_slot_body& body) {
  return exit_text(body.exit_kind, body.exit_value, detail_of(body));
}

std::string failed_why(const foster_slot_body& body) {
  const std::string detail = detail_of(body);
  std::string last = last_exit_of(body);
  if (body.cause == FOSTER_CAUSE_RATE_LIMITED) {
    const std::string limit = detail.empty() ? std::string(cause_text(body.cause)) : detail;
    return body.exit_kind == FOSTER_EXIT_SPAWN || last.empty() ? limit : limit + "; " + last;
  }
  if (body.cause == FOSTER_CAUSE_STOP_TIMEOUT) return std::string(cause_text(body.cause));
  if (last.empty()) return detail.empty() ? std::string(cause_text(body.cause)) : detail;
  if (detail.empty() || last.find(detail) != std::string::npos) return last;
  return last + ": " + detail;
}

std::string backoff_why(const foster_slot_body& body, Instant now) {
  std::string why = "next start " + deadline_text(Instant{body.deadline_boot_ns} - now);
  const std::string last = last_exit_of(body);
  return last.empty() ? why : why + ", " + last;
}

std::string stopping_why(const foster_slot_body& body, Instant now) {
  std::string why = body.goal == FOSTER_GOAL_UP ? "to be started again; " : "";
  if (has_flag(body, FOSTER_FLAG_KILLED)) return why + "SIGKILL was sent";
  if (body.deadline_boot_ns == 0) return why + "what is left of it is being ended";
  return why + "SIGKILL " + deadline_text(Instant{body.deadline_boot_ns} - now);
}

std::string running_why(const foster_slot_body& body) {
  std::string said(field_text(body.status_text, sizeof body.status_text));
  if (!said.empty()) return said;
  if (body.restarts == 0 || body.cause != FOSTER_CAUSE_EXIT) return {};
  const std::string last = last_exit_of(body);
  return last.empty() ? std::string() : "started again: " + last;
}

std::string stopped_why(const foster_slot_body& body) {
  if (body.attempt == 0) return "never started";
  return std::string(cause_text(body.cause));
}

}  // namespace

std::string_view field_text(const char* field, size_t size) {
  return {field, strnlen(field, size)};
}

std::string_view state_word(uint8_t state) {
  static constexpr std::string_view kWords[] = {"stopped",  "starting", "running",
                                                "stopping", "backoff",  "exited",
                                                "failed",   "waiting",  "skipped"};
  return word_at(kWords, state);
}

std::string_view goal_word(uint8_t goal) {
  static constexpr std::string_view kWords[] = {"down", "up"};
  return word_at(kWords, goal);
}

std::string_view type_word(uint8_t type) {
  static constexpr std::string_view kWords[] = {"simple", "oneshot", "notify", "forking", "group"};
  return word_at(kWords, type);
}

std::string_view cause_word(uint8_t cause) {
  static constexpr std::string_view kWords[] = {
      "none",         "boot",          "request",      "exit",       "spawn_failed",
      "rate_limited", "shutdown",      "stop_timeout", "dependency", "conflict",
      "condition",    "start_timeout", "hook",         "health",     "watchdog",
      "max_runtime",  "timer",         "on_failure",   "masked"};
  return word_at(kWords, cause);
}

std::string_view exit_kind_word(uint8_t kind) {
  static constexpr std::string_view kWords[] = {"none", "code", "signal", "core", "spawn"};
  return word_at(kWords, kind);
}

std::string_view phase_word(uint32_t phase) {
  static constexpr std::string_view kWords[] = {"starting", "running", "stopping", "down"};
  return word_at(kWords, phase);
}

std::string_view event_word(uint8_t kind) {
  static constexpr std::string_view kWords[] = {"none",    "state",    "exit", "signal", "request",
                                                "manager", "shutdown", "hook", "health", "ready"};
  return word_at(kWords, kind);
}

std::string_view verb_word(uint64_t job) {
  static constexpr std::string_view kWords[] = {"none",    "start",  "stop",
                                                "restart", "reload", "reset"};
  return word_at(kWords, job & 0xff);
}

std::string_view liveness_word(region::Liveness liveness) {
  switch (liveness) {
    case region::Liveness::alive:
      return "alive";
    case region::Liveness::busy:
      return "busy";
    case region::Liveness::frozen:
      return "frozen";
    case region::Liveness::dead:
      return "dead";
  }
  return "unknown";
}

std::string_view cause_text(uint8_t cause) {
  static constexpr std::string_view kSentences[] = {
      "",
      "started with the daemon",
      "on request",
      "its main process ended",
      "could not be started",
      "restarted too often",
      "the daemon is stopping",
      "did not stop in time and was killed",
      "because of what it depends on",
      "because a unit that it conflicts with was started",
      "a condition is not met",
      "was not ready in time",
      "a hook failed",
      "it is not healthy",
      "it did not feed its watchdog",
      "it has run for as long as it may",
      "started by its timer",
      "started because another unit has failed",
      "it is masked"};
  return word_at(kSentences, cause);
}

std::string exit_text(uint8_t kind, int32_t value, std::string_view detail) {
  switch (kind) {
    case FOSTER_EXIT_NONE:
      return {};
    case FOSTER_EXIT_CODE:
      return fmt::format("exited with code {}", value);
    case FOSTER_EXIT_SIGNAL:
      return "killed by " + signal_name(value);
    case FOSTER_EXIT_CORE:
      return "killed by " + signal_name(value) + " (core dumped)";
    case FOSTER_EXIT_SPAWN:
      break;
    default:
      return "ended in a way that this fosterctl does not know";
  }
  if (!detail.empty()) return std::string(detail);
  const char* error = value == 0 ? nullptr : strerrordesc_np(value);
  return std::string("could not be started") + (error == nullptr ? "" : ": ") +
         (error == nullptr ? "" : error);
}

std::string why_text(const foster_slot_body& body, Instant now) {
  switch (body.state) {
    case FOSTER_STATE_STOPPED:
      return stopped_why(body);
    case FOSTER_STATE_RUNNING:
      return running_why(body);
    case FOSTER_STATE_STOPPING:
      return stopping_why(body, now);
    case FOSTER_STATE_BACKOFF:
      return backoff_why(body, now);
    case FOSTER_STATE_EXITED:
      return last_exit_of(body);
    case FOSTER_STATE_FAILED:
      return failed_why(body);
    default:
      return {};
  }
}

std::string span_text(Duration span) {
  const int64_t seconds = std::max<int64_t>(span.count(), 0) / kSecond;
  const int64_t minutes = seconds / 60;
  const int64_t hours = minutes / 60;
  if (seconds < 60) return fmt::format("{}s", seconds);
  if (minutes < 60) return fmt::format("{}min", minutes);
  if (hours < 24) return fmt::format("{}h {}min", hours, minutes % 60);
  return fmt::format("{}d {}h", hours / 24, hours % 24);
}

std::string age_text(Duration age) {
  return age.count() < kSecond ? "just now" : span_text(age) + " ago";
}

std::string deadline_text(Duration left) {
  if (left.count() <= 0) return "now";
  const double seconds = static_cast<double>(left.count()) / static_cast<double>(kSecond);
  return left.count() < 10 * kSecond ? fmt::format("in {:.1f}s", seconds) : "in " + span_text(left);
}

std::string date_text(int64_t real_ns) {
  const auto seconds = static_cast<time_t>(real_ns / kSecond);
  tm local{};
  if (localtime_r(&seconds, &local) == nullptr) return "?";
  return fmt::format("{:04}-{:02}-{:02} {:02}:{:02}:{:02}", local.tm_year + 1900, local.tm_mon + 1,
                     local.tm_mday, local.tm_hour, local.tm_min, local.tm_sec);
}

std::string kib_text(uint64_t kib) {
  const auto amount = static_cast<double>(kib);
  if (kib < 1024) return fmt::format("{} KiB", kib);
  if (kib < 1024 * 1024) return fmt::format("{:.1f} MiB", amount / 1024);
  return fmt::format("{:.1f} GiB", amount / 1024 / 1024);
}

bool is_down(const foster_slot_body& body) {
  return body.state == FOSTER_STATE_STOPPED || body.state == FOSTER_STATE_EXITED ||
         body.state == FOSTER_STATE_FAILED || body.state == FOSTER_STATE_SKIPPED;
}

bool is_up(const foster_slot_body& body) {
  return (body.state == FOSTER_STATE_RUNNING && body.type != FOSTER_TYPE_ONESHOT) ||
         (body.state == FOSTER_STATE_EXITED && body.type == FOSTER_TYPE_ONESHOT);
}

std::optional<Condition> condition_of(std::string_view word) {
  static constexpr std::string_view kWords[] = {"running", "stopped", "failed",
                                                "exited",  "up",      "down"};
  for (size_t i = 0; i < std::size(kWords); ++i) {
    if (kWords[i] == word) return static_cast<Condition>(i);
  }
  return std::nullopt;
}

bool holds(Condition condition, const foster_slot_body& body) {
  switch (condition) {
    case Condition::running:
      return body.state == FOSTER_STATE_RUNNING;
    case Condition::stopped:
      return body.state == FOSTER_STATE_STOPPED;
    case Condition::failed:
      return body.state == FOSTER_STATE_FAILED;
    case Condition::exited:
      return body.state == FOSTER_STATE_EXITED;
    case Condition::up:
      return is_up(body);
    case Condition::down:
      return is_down(body);
  }
  return false;
}

}  // namespace foster::ctl
