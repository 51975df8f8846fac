#include "ctl/reason.hpp"

#include <cstring>
#include <iterator>

#include <fmt/format.h>

#include "common/signal_name.hpp"
#include "ctl/condition.hpp"
#include "ctl/words.hpp"

namespace foster::ctl {
namespace {

std::string detail_of(const foster_slot_body& body) {
  return std::string(field_text(body.detail, sizeof body.detail));
}

std::string last_exit_of(const foster_slot_body& body) {
  return exit_text(body.exit_kind, body.exit_value, detail_of(body));
}

std::string joined(std::string text, std::string_view more, std::string_view between = "; ") {
  if (text.empty() || more.empty()) return text.append(more);
  return text.append(between).append(more);
}

std::string with_command(std::string_view what, uint16_t index) {
  return index == 0 ? std::string(what) : fmt::format("{}, command {}", what, index + 1);
}

std::string exit_failure(const foster_slot_body& body) {
  const std::string detail = detail_of(body);
  std::string last = last_exit_of(body);
  if (last.empty()) return detail.empty() ? std::string(cause_text(body.cause)) : detail;
  if (detail.empty() || last.find(detail) != std::string::npos) return last;
  return last + ": " + detail;
}

std::string rate_limit_failure(const foster_slot_body& body) {
  const std::string detail = detail_of(body);
  const std::string limit = detail.empty() ? std::string(cause_text(body.cause)) : detail;
  const std::string last = last_exit_of(body);
  return body.exit_kind == FOSTER_EXIT_SPAWN || last.empty() ? limit : limit + "; " + last;
}

std::string starting_step(const foster_slot_body& body) {
  switch (body.step) {
    case FOSTER_STEP_CONDITIONS:
      return "checking its conditions";
    case FOSTER_STEP_PRE_START:
      return with_command("pre-start", body.hook_index);
    case FOSTER_STEP_FIND_MAIN:
      return "looking for its main process";
    case FOSTER_STEP_READY:
      return "waiting to be ready";
    case FOSTER_STEP_POST_START:
      return with_command("post-start", body.hook_index);
    default:
      return {};
  }
}

std::string stopping_step(const UnitView& unit) {
  switch (unit.body.step) {
    case FOSTER_STEP_DEPENDENTS:
      return "waiting for " + (unit.held_by.empty() ? "others" : unit.held_by) + " to stop";
    case FOSTER_STEP_PRE_STOP:
      return with_command("pre-stop", unit.body.hook_index);
    case FOSTER_STEP_STOP_COMMAND:
      return with_command("its stop command", unit.body.hook_index);
    case FOSTER_STEP_POST_STOP:
      return with_command("post-stop", unit.body.hook_index);
    default:
      return {};
  }
}

std::string overlap_step(const foster_slot_body& body) {
  return body.successor_attempt != 0 ? "a new process is on its way up beside it"
                                     : "the process before it is on its way down";
}

/// When the process beside the main one is to be there, or gone.
std::string overlap_deadline(const foster_slot_body& body, const Clock& clock) {
  const int64_t up = body.successor_deadline_boot_ns;
  const int64_t down = body.former_deadline_boot_ns;
  if (body.successor_attempt != 0)
    return up == 0 ? "" : "gives up on it " + deadline_text(Instant{up} - clock.boot);
  if (has_flag(body, FOSTER_FLAG_FORMER_KILLED)) return "SIGKILL was sent";
  return down == 0 ? "" : "SIGKILL " + deadline_text(Instant{down} - clock.boot);
}

std::string starting_why(const UnitView& unit, const Clock& clock) {
  const int64_t deadline = unit.body.start_deadline_boot_ns;
  if (deadline == 0) return step_text(unit);
  return joined(step_text(unit), "gives up " + deadline_text(Instant{deadline} - clock.boot), ", ");
}

std::string running_why(const UnitView& unit, const Clock& clock) {
  const foster_slot_body& body = unit.body;
  std::string why = step_text(unit);
  if (body.step == FOSTER_STEP_OVERLAP) why = joined(why, overlap_deadline(body, clock), ", ");
  why = joined(why, given_up(body));
  if (body.health == FOSTER_HEALTH_UNHEALTHY && body.check_failures > 0)
    why = joined(why, fmt::format("{} check{} failed", body.check_failures,
                                  body.check_failures == 1 ? "" : "s"));
  why = joined(why, field_text(body.status_text, sizeof body.status_text));
  if (!why.empty() || body.restarts == 0 || body.cause != FOSTER_CAUSE_EXIT) return why;
  const std::string last = last_exit_of(body);
  return last.empty() ? std::string() : "started again: " + last;
}

std::string stopping_why(const UnitView& unit, const Clock& clock) {
  const foster_slot_body& body = unit.body;
  std::string why = body.goal == FOSTER_GOAL_UP ? "to be started again" : "";
  const std::string step = step_text(unit);
  why = joined(why, step);
  if (has_flag(body, FOSTER_FLAG_KILLED)) return joined(why, "SIGKILL was sent");
  if (body.deadline_boot_ns != 0)
    return joined(why, "SIGKILL " + deadline_text(Instant{body.deadline_boot_ns} - clock.boot));
  return step.empty() ? joined(why, "what is left of it is being ended") : why;
}

std::string rest_why(const UnitView& unit, const Clock& clock) {
  const foster_slot_body& body = unit.body;
  std::string why;
  if (body.state == FOSTER_STATE_FAILED) {
    why = failure_text(unit);
  } else if (body.state == FOSTER_STATE_EXITED) {
    why = last_exit_of(body);
  } else if (body.state == FOSTER_STATE_SKIPPED) {
    why = detail_of(body).empty() ? cause_text(unit) : detail_of(body);
  } else {
    why = body.attempt == 0 ? "never started" : cause_text(unit);
  }
  if (body.cause != FOSTER_CAUSE_MASKED) why = joined(why, enablement_text(unit), ", ");
  if (body.timer_next_real_ns == 0) return why;
  const Duration left(body.timer_next_real_ns - clock.real_ns);
  return joined(why, "its timer starts it " + deadline_text(left));
}

}  // namespace

std::string given_up(const foster_slot_body& body) {
  const bool runs = body.state == FOSTER_STATE_RUNNING && body.type != FOSTER_TYPE_ONESHOT;
  const std::string detail = runs ? detail_of(body) : std::string();
  return detail.empty() ? detail : "its last restart was given up: " + detail;
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
      "was not healthy",
      "did not feed its watchdog",
      "ran for as long as it may",
      "started by its timer",
      "started because another unit has failed",
      "masked",
      "started by a connection"};
  return cause < std::size(kSentences) ? kSentences[cause] : "unknown";
}

std::string cause_text(const UnitView& unit) {
  if (!unit.blocker.empty()) {
    if (unit.body.cause == FOSTER_CAUSE_DEPENDENCY)
      return "because of " + unit.blocker + ", which it depends on";
    if (unit.body.cause == FOSTER_CAUSE_CONFLICT)
      return "because " + unit.blocker + ", which it conflicts with, was started";
    if (unit.body.cause == FOSTER_CAUSE_ON_FAILURE)
      return "started because " + unit.blocker + " has failed";
  }
  return std::string(cause_text(unit.body.cause));
}

std::string step_text(const UnitView& unit) {
  const foster_slot_body& body = unit.body;
  switch (body.state) {
    case FOSTER_STATE_STARTING:
      return starting_step(body);
    case FOSTER_STATE_STOPPING:
      return stopping_step(unit);
    case FOSTER_STATE_RUNNING:
      if (body.step == FOSTER_STEP_RELOAD) return "reloading";
      if (body.step == FOSTER_STEP_OVERLAP) return overlap_step(body);
      if (body.type == FOSTER_TYPE_ONESHOT && body.command_index > 0)
        return fmt::format("command {}", body.command_index + 1);
      return {};
    default:
      return {};
  }
}

std::string state_text(const UnitView& unit) {
  const std::string word(state_word(unit.body.state));
  if (unit.body.state == FOSTER_STATE_WAITING)
    return unit.blocker.empty() ? word : word + " for " + unit.blocker;
  if (unit.body.state == FOSTER_STATE_SKIPPED) return joined(word, detail_of(unit.body), ": ");
  return joined(word, step_text(unit), ": ");
}

std::string failure_text(const UnitView& unit) {
  const foster_slot_body& body = unit.body;
  switch (body.cause) {
    case FOSTER_CAUSE_RATE_LIMITED:
      return rate_limit_failure(body);
    case FOSTER_CAUSE_STOP_TIMEOUT:
    case FOSTER_CAUSE_CONFLICT:
    case FOSTER_CAUSE_MASKED:
      return cause_text(unit);
    case FOSTER_CAUSE_DEPENDENCY:
      return unit.blocker.empty() ? cause_text(unit)
                                  : unit.blocker + ", which it depends on, has failed";
    case FOSTER_CAUSE_SPAWN_FAILED:
      // Of sockets that cannot be opened there is no exit; the last one says nothing of it.
      return detail_of(body).empty() ? exit_failure(body) : detail_of(body);
    case FOSTER_CAUSE_CONDITION:
    case FOSTER_CAUSE_START_TIMEOUT:
    case FOSTER_CAUSE_HOOK:
    case FOSTER_CAUSE_HEALTH:
    case FOSTER_CAUSE_WATCHDOG:
    case FOSTER_CAUSE_MAX_RUNTIME:
      return detail_of(body).empty() ? cause_text(unit) : detail_of(body);
    default:
      return exit_failure(body);
  }
}

std::string_view enablement_text(uint8_t enablement) {
  switch (enablement) {
    case FOSTER_DISABLED_BY_FILE:
      return "disabled by its file";
    case FOSTER_DISABLED:
      return "disabled";
    case FOSTER_MASKED:
      return "masked";
    case FOSTER_NOT_CHOSEN:
      return "not chosen by --start";
    case FOSTER_GONE:
      return "in no unit file any more";
    default:
      return {};
  }
}

std::string_view enablement_text(const UnitView& unit) {
  const bool of_connection = !unit.listener.empty();
  if (of_connection && unit.body.enablement == FOSTER_DISABLED_BY_FILE) return {};
  return enablement_text(unit.body.enablement);
}

std::string why_text(const UnitView& unit, const Clock& clock) {
  const foster_slot_body& body = unit.body;
  switch (body.state) {
    case FOSTER_STATE_STARTING:
      return starting_why(unit, clock);
    case FOSTER_STATE_RUNNING:
      return running_why(unit, clock);
    case FOSTER_STATE_STOPPING:
      return stopping_why(unit, clock);
    case FOSTER_STATE_BACKOFF:
      return joined("next start " + deadline_text(Instant{body.deadline_boot_ns} - clock.boot),
                    failure_text(unit), ", ");
    case FOSTER_STATE_WAITING:
      return unit.blocker.empty() ? "" : "for " + unit.blocker;
    case FOSTER_STATE_LISTENING:
      return "for a connection";
    default:
      return is_down(body) ? rest_why(unit, clock) : std::string();
  }
}

}  // namespace foster::ctl
