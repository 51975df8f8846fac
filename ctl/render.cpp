#include "ctl/render.hpp"

#include <algorithm>
#include <cstring>
#include <iterator>

#include <fmt/format.h>

#include "common/signal_name.hpp"
#include "ctl/printable.hpp"
#include "ctl/reason.hpp"
#include "ctl/words.hpp"

namespace foster::ctl {
namespace {

std::string as_it_was(const DaemonView& daemon, Instant last_change) {
  // A unit may never have changed; the manager that wrote its slot was started some time.
  const Instant newest = std::max(last_change, Instant{daemon.header.manager_started_boot_ns});
  return "; the state below is as it last was (last change " +
         age_text(daemon.clock.boot - newest) + ")";
}

std::string manager_notice(const DaemonView& daemon, const std::string& as_it_last_was) {
  const int32_t pid = daemon.header.manager_pid;
  switch (daemon.manager) {
    case region::Liveness::alive:
      return {};
    case region::Liveness::busy: {
      const Instant turn{daemon.header.turn_started_boot_ns};
      return fmt::format("manager: busy with one thing for {} (pid {}){}\n",
                         span_text(daemon.clock.boot - turn), pid, as_it_last_was);
    }
    case region::Liveness::frozen:
      return fmt::format("manager: frozen (pid {} is stopped by a signal or a debugger){}\n", pid,
                         as_it_last_was);
    case region::Liveness::dead:
      return "manager: not running, the keeper is starting it again" + as_it_last_was + "\n";
  }
  return {};
}

void append_fact(std::string& text, std::string_view label, std::string_view fact) {
  if (!fact.empty()) text += fmt::format("  {:<10} {}\n", label, fact);
}

std::string when_text(int64_t real_ns, int64_t boot_ns, const Clock& clock) {
  return fmt::format("{} ({})", date_text(real_ns), age_text(clock.boot - Instant{boot_ns}));
}

std::string state_fact(const UnitView& unit, const Clock& clock, const RenderOptions& options) {
  const foster_slot_body& body = unit.body;
  // A condition that was not met stands in full in the line below.
  // What a running unit is about has begun later than its run.
  const bool runs = body.state == FOSTER_STATE_RUNNING;
  const bool word_alone = runs || body.state == FOSTER_STATE_SKIPPED;
  const std::string text =
      word_alone ? std::string(state_word(body.state)) : printable(state_text(unit));
  std::string fact = coloured(text, state_colour(body.state), options);
  if (body.since_boot_ns != 0)
    fact += " since " + when_text(body.since_real_ns, body.since_boot_ns, clock);
  const std::string step = runs ? printable(step_text(unit)) : std::string();
  return step.empty() ? fact : fact + ": " + step;
}

std::string health_fact(const foster_slot_body& body, const RenderOptions& options) {
  if (body.health == FOSTER_HEALTH_NONE) return {};
  std::string text = coloured(health_word(body.health), health_colour(body.health), options);
  if (body.check_failures == 0) return text;
  return text + fmt::format(" ({} failed in a row)", body.check_failures);
}

std::string start_fact(const UnitView& unit) {
  if (!unit.listener.empty() && enablement_text(unit).empty())
    return "by a connection to " + printable(unit.listener);
  switch (unit.body.enablement) {
    case FOSTER_ENABLED:
      return {};
    case FOSTER_ENABLED_BY_REQUEST:
      return "enabled by fosterctl, whatever its file says";
    case FOSTER_DISABLED:
      return "disabled by fosterctl";
    case FOSTER_MASKED:
      return "masked by fosterctl: it cannot be started";
    default:
      return std::string(enablement_text(unit));
  }
}

std::string process_fact(uint64_t attempt, uint8_t role, int32_t pid, int64_t deadline_boot_ns,
                         const Clock& clock) {
  if (attempt == 0) return {};
  std::string text = fmt::format("{}, pid {}", role_word(role), pid);
  if (deadline_boot_ns == 0) return text;
  return text + ", SIGKILL " + deadline_text(Instant{deadline_boot_ns} - clock.boot);
}

/// "2 open, ports 80, 443"; "9 open, ports 80, 443, ..." where the region tells of the first alone.
std::string sockets_fact(const foster_slot_body& body) {
  if (body.socket_count == 0) return {};
  std::string ports;
  size_t count = 0;
  for (const uint16_t port : body.socket_ports) {
    if (port == 0) continue;
    ports += fmt::format("{}{}", count++ == 0 ? "" : ", ", port);
  }
  if (count == 0) return fmt::format("{} open", body.socket_count);
  const bool more = body.socket_count > std::size(body.socket_ports);
  return fmt::format("{} open, port{} {}{}", body.socket_count, count == 1 && !more ? "" : "s",
                     ports, more ? ", ..." : "");
}

std::string held_fact(const foster_slot_body& body) {
  if (body.held_count == 0) return {};
  return fmt::format("{} descriptor{}, passed or stored", body.held_count,
                     body.held_count == 1 ? "" : "s");
}

std::string successor_fact(const foster_slot_body& body, const Clock& clock) {
  if (body.successor_attempt == 0) return {};
  std::string text = fmt::format("pid {}, attempt {}", body.successor_pid, body.successor_attempt);
  const int64_t deadline = body.successor_deadline_boot_ns;
  if (deadline == 0) return text;
  return text + ", given up " + deadline_text(Instant{deadline} - clock.boot);
}

std::string former_fact(const foster_slot_body& body, const Clock& clock) {
  if (body.former_attempt == 0) return {};
  std::string text = fmt::format("pid {}, attempt {}", body.former_pid, body.former_attempt);
  const int64_t deadline = body.former_deadline_boot_ns;
  if (deadline == 0) return text;
  return text + ", SIGKILL " + deadline_text(Instant{deadline} - clock.boot);
}

std::string timer_fact(const foster_slot_body& body, const Clock& clock) {
  if (body.timer_next_real_ns == 0) return {};
  return fmt::format("{} ({})", date_text(body.timer_next_real_ns),
                     deadline_text(Duration(body.timer_next_real_ns - clock.real_ns)));
}

std::string error_fact(const foster_slot_body& body) {
  if (body.service_errno == 0) return {};
  const char* error = strerrordesc_np(body.service_errno);
  return fmt::format("{}{}{}", body.service_errno, error == nullptr ? "" : ": ",
                     error == nullptr ? "" : error);
}

std::string last_exit_fact(const foster_slot_body& body, const Clock& clock) {
  if (body.exit_kind == FOSTER_EXIT_NONE) return {};
  const std::string_view detail = field_text(body.detail, sizeof body.detail);
  return fmt::format("{}, {}, attempt {}",
                     printable(exit_text(body.exit_kind, body.exit_value, detail)),
                     when_text(body.exit_real_ns, body.exit_boot_ns, clock), body.exit_attempt);
}

std::string used_fact(const foster_slot_body& body) {
  if (body.exit_kind == FOSTER_EXIT_NONE || body.exit_kind == FOSTER_EXIT_SPAWN) return {};
  return fmt::format("{:.3f}s user, {:.3f}s system, {} at most (the attempt that ended)",
                     static_cast<double>(body.exit_user_us) / 1e6,
                     static_cast<double>(body.exit_system_us) / 1e6,
                     kib_text(body.exit_max_rss_kib));
}

std::string deadline_fact(const foster_slot_body& body, const Clock& clock) {
  if (body.deadline_boot_ns == 0) return {};
  return deadline_text(Instant{body.deadline_boot_ns} - clock.boot);
}

std::string state_reason(const foster_event& event) {
  const std::string ended = exit_text(event.exit_kind, event.value, {});
  switch (event.state) {
    case FOSTER_STATE_BACKOFF:
    case FOSTER_STATE_FAILED:
      return ended.empty() || event.cause >= FOSTER_CAUSE_DEPENDENCY
                 ? std::string(cause_text(event.cause))
                 : ended;
    case FOSTER_STATE_STARTING:
    case FOSTER_STATE_RUNNING:
      // That the attempt before it ended was said when it did.
      return event.cause == FOSTER_CAUSE_EXIT ? std::string()
                                              : std::string(cause_text(event.cause));
    default:
      return std::string(cause_text(event.cause));
  }
}

std::string state_event_text(const foster_event& event) {
  if (event.state == FOSTER_STATE_EXITED && event.exit_kind != FOSTER_EXIT_NONE)
    return exit_text(event.exit_kind, event.value, {});
  std::string text(state_word(event.state));
  if (event.pid != 0) text += fmt::format(", pid {}", event.pid);
  const std::string said = printable(field_text(event.text, sizeof event.text));
  const std::string reason = said.empty() ? state_reason(event) : said;
  return reason.empty() ? text : text + ", " + reason;
}

std::string exit_event_text(const foster_event& event, const std::string& said) {
  std::string text = printable(exit_text(event.exit_kind, event.value, said));
  if (event.pid != 0) return text + fmt::format(" (pid {}, attempt {})", event.pid, event.attempt);
  return text + fmt::format(" (attempt {})", event.attempt);
}

std::string event_text(const foster_event& event) {
  std::string said = printable(field_text(event.text, sizeof event.text));
  switch (event.kind) {
    case 0:  // Not from the ring: fosterctl's own remark.
      return said;
    case FOSTER_EVENT_STATE:
      return state_event_text(event);
    case FOSTER_EVENT_EXIT:
      return exit_event_text(event, said);
    case FOSTER_EVENT_SIGNAL:
      return fmt::format("{} sent{}", signal_name(event.value),
                         event.pid == 0 ? "" : fmt::format(" to pid {}", event.pid));
    case FOSTER_EVENT_REQUEST:
      return "asked to " + said;
    case FOSTER_EVENT_MANAGER:
      return event.value == 0
                 ? fmt::format("manager started, pid {}", event.pid)
                 : fmt::format("manager started again ({}), pid {}", event.value, event.pid);
    case FOSTER_EVENT_SHUTDOWN:
      return fmt::format("begins to stop, exit code {}", event.value);
    case FOSTER_EVENT_HOOK:
      return said.empty() ? "a hook began or ended" : said;
    case FOSTER_EVENT_HEALTH:
      return said.empty() ? "its health has changed" : said;
    case FOSTER_EVENT_READY:
      return said.empty() ? "ready" : said;
    default:
      return "something that this fosterctl does not know";
  }
}

}  // namespace

Colour state_colour(uint8_t state) {
  switch (state) {
    case FOSTER_STATE_RUNNING:
    case FOSTER_STATE_LISTENING:
      return Colour::green;
    case FOSTER_STATE_FAILED:
      return Colour::red;
    case FOSTER_STATE_STARTING:
    case FOSTER_STATE_STOPPING:
    case FOSTER_STATE_BACKOFF:
    case FOSTER_STATE_WAITING:
      return Colour::yellow;
    case FOSTER_STATE_STOPPED:
    case FOSTER_STATE_EXITED:
    case FOSTER_STATE_SKIPPED:
      return Colour::dim;
    default:
      return Colour::none;
  }
}

Colour health_colour(uint8_t health) {
  switch (health) {
    case FOSTER_HEALTH_HEALTHY:
      return Colour::green;
    case FOSTER_HEALTH_UNHEALTHY:
      return Colour::red;
    case FOSTER_HEALTH_STARTING:
      return Colour::yellow;
    default:
      return Colour::none;
  }
}

std::string render_notices(const DaemonView& daemon, Instant last_change) {
  const int32_t pid = daemon.header.keeper_pid;
  const std::string as_it_last_was = as_it_was(daemon, last_change);
  if (daemon.keeper == region::Liveness::dead)
    return fmt::format("fosterd is gone (it was pid {}){}\n", pid, as_it_last_was);
  std::string text;
  if (daemon.keeper == region::Liveness::frozen) {
    text = fmt::format(
        "keeper: frozen (pid {} is stopped by a signal or a debugger); "
        "nothing is started or stopped\n",
        pid);
  }
  return text + manager_notice(daemon, as_it_last_was);
}

std::string render_summary(const DaemonView& daemon, const UnitCounts& counts) {
  static constexpr uint8_t kOrder[] = {
      FOSTER_STATE_RUNNING, FOSTER_STATE_LISTENING, FOSTER_STATE_STARTING,  FOSTER_STATE_STOPPING,
      FOSTER_STATE_BACKOFF, FOSTER_STATE_WAITING,   FOSTER_STATE_FAILED,    FOSTER_STATE_EXITED,
      FOSTER_STATE_SKIPPED, FOSTER_STATE_STOPPED,   UnitCounts::kStates - 1};
  std::string parts;
  for (const uint8_t state : kOrder) {
    const size_t count = counts.in_state[state];
    if (count == 0) continue;
    parts += fmt::format("{}{} {}", parts.empty() ? "" : ", ", count, state_word(state));
  }
  const foster_region_header& header = daemon.header;
  const Duration age = daemon.clock.boot - Instant{header.daemon_started_boot_ns};
  return fmt::format("foster {}: {}, up {}, {} unit{}{}{}{}\n",
                     printable(field_text(header.instance, sizeof header.instance)),
                     phase_word(header.phase), span_text(age), counts.all,
                     counts.all == 1 ? "" : "s", parts.empty() ? "" : " (", parts,
                     parts.empty() ? "" : ")");
}

UnitTable::UnitTable() : table_{"UNIT", "STATE", "HEALTH", "SINCE", "PID", "RESTARTS", "WHY"} {
  constexpr size_t kHealthColumn = 2;
  table_.make_optional(kHealthColumn);
}

void UnitTable::add(const UnitView& unit, const Clock& clock) {
  const foster_slot_body& body = unit.body;
  const bool checked = body.health != FOSTER_HEALTH_NONE;
  std::string why = printable(why_text(unit, clock));
  if (unit.writer_died || unit.writer_stuck) why += why.empty() ? "(old)" : " (old)";
  table_.add(printable(unit.name));
  table_.add(state_word(body.state), state_colour(body.state));
  table_.add(checked ? health_word(body.health) : "-", health_colour(body.health));
  table_.add(body.since_boot_ns == 0 ? "-" : age_text(clock.boot - Instant{body.since_boot_ns}));
  table_.add(body.pid == 0 ? "-" : std::to_string(body.pid));
  table_.add(std::to_string(body.restarts));
  table_.add(why);
}

std::string render_unit(const UnitView& unit, const Clock& clock, const RenderOptions& options) {
  const foster_slot_body& body = unit.body;
  const bool essential = has_flag(body, FOSTER_FLAG_ESSENTIAL);
  std::string text = fmt::format("{} ({}{})\n", printable(unit.name), type_word(body.type),
                                 essential ? ", essential" : "");
  append_fact(text, "state", state_fact(unit, clock, options));
  append_fact(text, "why", printable(why_text(unit, clock)));
  append_fact(text, "health", health_fact(body, options));
  append_fact(text, "goal", goal_word(body.goal));
  append_fact(text, "cause", body.cause == FOSTER_CAUSE_NONE ? "" : printable(cause_text(unit)));
  append_fact(text, "start", start_fact(unit));
  append_fact(text, "timer", timer_fact(body, clock));
  append_fact(text, "pid", body.pid == 0 ? "" : std::to_string(body.pid));
  append_fact(text, "successor", successor_fact(body, clock));
  append_fact(text, "former", former_fact(body, clock));
  append_fact(text, "sockets", sockets_fact(body));
  append_fact(text, "held", held_fact(body));
  append_fact(text, "hook",
              process_fact(body.hook_attempt, body.hook_role, body.hook_pid,
                           body.hook_deadline_boot_ns, clock));
  append_fact(text, "check",
              process_fact(body.check_attempt, body.check_role, body.check_pid,
                           body.check_deadline_boot_ns, clock));
  append_fact(text, "attempt", std::to_string(body.attempt));
  append_fact(text, "restarts", fmt::format("{} ({} in a row)", body.restarts, body.failures));
  const bool backoff = body.state == FOSTER_STATE_BACKOFF;
  append_fact(text, backoff ? "next start" : "SIGKILL", deadline_fact(body, clock));
  append_fact(text, "last exit", last_exit_fact(body, clock));
  append_fact(text, "used", used_fact(body));
  append_fact(text, "status", printable(field_text(body.status_text, sizeof body.status_text)));
  append_fact(text, "error", error_fact(body));
  append_fact(text, "detail", printable(field_text(body.detail, sizeof body.detail)));
  if (body.job != 0)
    append_fact(text, "job", fmt::format("{} to {}", body.job >> 8, verb_word(body.job)));
  if (unit.writer_died)
    append_fact(text, "note", "the manager died while it wrote this; shown is the state before");
  if (unit.writer_stuck)
    append_fact(text, "note",
                "the manager was stopped while it wrote this; shown is the state before");
  return text;
}

std::string render_outcome(const UnitView& unit, const Clock& clock) {
  const foster_slot_body& body = unit.body;
  const std::string title = printable(unit.name) + ": ";
  if (body.state == FOSTER_STATE_WAITING) return title + printable(state_text(unit));
  const std::string why = printable(why_text(unit, clock));
  if (body.state == FOSTER_STATE_EXITED && !why.empty()) return title + why;
  std::string text = title + std::string(state_word(body.state));
  if (body.state == FOSTER_STATE_RUNNING)
    return body.pid == 0 ? text : text + fmt::format(", pid {}", body.pid);
  if (body.state == FOSTER_STATE_STOPPED) {
    const bool notable = body.cause == FOSTER_CAUSE_STOP_TIMEOUT ||
                         body.cause == FOSTER_CAUSE_DEPENDENCY ||
                         body.cause == FOSTER_CAUSE_CONFLICT;
    return notable ? text + ", " + printable(cause_text(unit)) : text;
  }
  return why.empty() ? text : text + ", " + why;
}

std::string render_event(const foster_event& event, const RenderOptions& options) {
  const std::string when = event.real_ns == 0 ? "-"
                                              : fmt::format("{}.{:03}", date_text(event.real_ns),
                                                            event.real_ns / 1'000'000 % 1000);
  const std::string_view name = field_text(event.name, sizeof event.name);
  const bool state = event.kind == FOSTER_EVENT_STATE;
  const Colour colour = state ? state_colour(event.state) : Colour::none;
  return fmt::format("{} {}: {}", when, name.empty() ? "foster" : printable(name),
                     coloured(event_text(event), colour, options));
}

foster_event present_state(const UnitView& unit) {
  const foster_slot_body& body = unit.body;
  foster_event event{};
  event.boot_ns = body.since_boot_ns;
  event.real_ns = body.since_boot_ns == 0 ? 0 : body.since_real_ns;
  event.attempt = body.attempt;
  event.pid = body.pid;
  event.kind = FOSTER_EVENT_STATE;
  event.state = body.state;
  event.cause = body.cause;
  const bool ended = body.state == FOSTER_STATE_BACKOFF || body.state == FOSTER_STATE_EXITED ||
                     body.state == FOSTER_STATE_FAILED;
  if (ended) {
    event.exit_kind = body.exit_kind;
    event.value = body.exit_value;
  }
  std::memcpy(event.name, unit.name.data(), std::min(unit.name.size(), sizeof event.name - 1));
  std::memcpy(event.text, body.detail, sizeof event.text);
  return event;
}

}  // namespace foster::ctl
