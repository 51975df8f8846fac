#include "ctl/words.hpp"

#include <cstring>
#include <span>

namespace foster::ctl {
namespace {

std::string_view word_at(std::span<const std::string_view> words, uint64_t index) {
  return index < words.size() ? words[index] : "unknown";
}

}  // namespace

std::string_view field_text(const char* field, size_t size) {
  return {field, strnlen(field, size)};
}

std::string_view state_word(uint8_t state) {
  static constexpr std::string_view kWords[] = {"stopped", "starting", "running", "stopping",
                                                "backoff", "exited",   "failed",  "waiting",
                                                "skipped", "listening"};
  return word_at(kWords, state);
}

std::string_view step_word(uint8_t step) {
  static constexpr std::string_view kWords[] = {
      "none",   "conditions", "pre_start", "command",      "find_main", "ready",     "post_start",
      "reload", "dependents", "pre_stop",  "stop_command", "signal",    "post_stop", "overlap"};
  return word_at(kWords, step);
}

std::string_view health_word(uint8_t health) {
  static constexpr std::string_view kWords[] = {"none", "starting", "healthy", "unhealthy"};
  return word_at(kWords, health);
}

std::string_view enablement_word(uint8_t enablement) {
  static constexpr std::string_view kWords[] = {"enabled", "disabled_by_file",   "disabled",
                                                "masked",  "enabled_by_request", "not_chosen",
                                                "gone"};
  return word_at(kWords, enablement);
}

std::string_view role_word(uint8_t role) {
  static constexpr std::string_view kWords[] = {
      "main",      "condition", "pre-start",   "post-start",   "pre-stop", "stop",
      "post-stop", "reload",    "ready-check", "health-check", "successor"};
  return word_at(kWords, role);
}

std::string_view edge_word(uint32_t kind) {
  static constexpr std::string_view kWords[] = {"requires", "binds-to",  "wants",  "completed",
                                                "after",    "conflicts", "part-of"};
  return word_at(kWords, kind);
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
      "max_runtime",  "timer",         "on_failure",   "masked",     "connection"};
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
  static constexpr std::string_view kWords[] = {"none",   "start", "stop",   "restart",
                                                "reload", "reset", "overlap"};
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

}  // namespace foster::ctl
