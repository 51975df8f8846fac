#include "ctl/explanation.hpp"

#include <algorithm>
#include <cstring>

#include <fmt/format.h>

#include "ctl/condition.hpp"
#include "ctl/printable.hpp"
#include "ctl/reason.hpp"
#include "ctl/relations.hpp"
#include "ctl/remedies.hpp"
#include "ctl/words.hpp"

namespace foster::ctl {
namespace {

constexpr uint32_t kIndentMax = 16;

std::string since(const foster_slot_body& body, const Clock& clock) {
  if (body.since_boot_ns == 0) return {};
  return fmt::format(" since {} ({})", moment_text(body.since_real_ns, clock),
                     span_text(clock.boot - Instant{body.since_boot_ns}));
}

std::string at(const foster_slot_body& body, const Clock& clock) {
  if (body.since_boot_ns == 0) return {};
  return fmt::format(" at {} ({})", moment_text(body.since_real_ns, clock),
                     age_text(clock.boot - Instant{body.since_boot_ns}));
}

std::string after_colon(const std::string& text) {
  return text.empty() ? text : ": " + text;
}

std::string waiting_sentence(const UnitView& unit, std::optional<uint32_t> edge,
                             const Clock& clock) {
  std::string text = "is waiting";
  if (!unit.blocker.empty()) text += " for " + unit.blocker;
  if (edge) text += fmt::format(" ({})", edge_word(*edge));
  if (edge == FOSTER_EDGE_CONFLICTS) text += " to stop";
  return text + since(unit.body, clock);
}

std::string running_sentence(const UnitView& unit, const Clock& clock) {
  const foster_slot_body& body = unit.body;
  const bool working = body.type == FOSTER_TYPE_ONESHOT;
  std::string text = (working ? "is working" : "is running") + since(body, clock);
  if (body.pid != 0) text += fmt::format(", pid {}", body.pid);
  const std::string ended = exit_text(body.exit_kind, body.exit_value, {});
  if (body.cause == FOSTER_CAUSE_EXIT) {
    text += ", started again" + (ended.empty() ? "" : " after it " + ended);
  } else if (body.cause == FOSTER_CAUSE_REQUEST) {
    text += ", started on request";
  } else if (!cause_text(unit).empty()) {
    text += ", " + cause_text(unit);
  }
  const std::string step = step_text(unit);
  return step.empty() ? text : text + "; " + step;
}

std::string listening_sentence(const UnitView& unit, const Clock& clock) {
  const uint16_t sockets = unit.body.socket_count;
  return fmt::format("is listening{} on {} socket{}, and is started by the first that comes to {}",
                     since(unit.body, clock), sockets, sockets == 1 ? "" : "s",
                     sockets == 1 ? "it" : "one of them");
}

std::string starting_sentence(const UnitView& unit, const Clock& clock) {
  std::string text = "is starting" + since(unit.body, clock) + after_colon(step_text(unit));
  if (unit.body.check_failures > 0)
    text += fmt::format(", {} {} so far", unit.body.check_failures,
                        unit.body.check_failures == 1 ? "try" : "tries");
  return text;
}

std::string stopping_sentence(const UnitView& unit, const Clock& clock) {
  std::string text = "is being stopped" + since(unit.body, clock);
  const std::string cause = cause_text(unit);
  if (!cause.empty()) text += ", " + cause;
  return text + after_colon(why_text(unit, clock));
}

std::string backoff_sentence(const UnitView& unit, const Clock& clock) {
  const foster_slot_body& body = unit.body;
  return fmt::format("is in backoff{}{}; next start {}, {} restart{} in a row", since(body, clock),
                     after_colon(failure_text(unit)),
                     deadline_text(Instant{body.deadline_boot_ns} - clock.boot), body.failures,
                     body.failures == 1 ? "" : "s");
}

std::string_view unasked_text(const foster_slot_body& body, const DaemonView& daemon) {
  switch (body.enablement) {
    case FOSTER_MASKED:
      return "it is masked";
    case FOSTER_DISABLED:
      return "it was disabled with fosterctl disable";
    case FOSTER_DISABLED_BY_FILE:
      return "its file says enabled = false";
    case FOSTER_NOT_CHOSEN:
      return "fosterd --start named others";
    case FOSTER_GONE:
      return "no unit file describes it any more";
    default:
      break;
  }
  if (daemon.header.phase >= FOSTER_PHASE_STOPPING) return "the daemon is stopping";
  if (body.timer_next_real_ns != 0) return "its timer has not been due yet";
  if (daemon.header.phase == FOSTER_PHASE_STARTING) return "the daemon is only starting";
  return "nobody has asked for it";
}

std::string stopped_sentence(const UnitView& unit, const DaemonView& daemon) {
  if (unit.body.attempt == 0 && !unit.listener.empty() &&
      unit.body.enablement == FOSTER_DISABLED_BY_FILE)
    return "has never been started: no connection to " + unit.listener + " has come to it";
  if (unit.body.attempt == 0)
    return "has never been started: " + std::string(unasked_text(unit.body, daemon));
  return "is stopped" + since(unit.body, daemon.clock) + after_colon(cause_text(unit));
}

std::string exited_sentence(const UnitView& unit, const Clock& clock) {
  const bool oneshot = unit.body.type == FOSTER_TYPE_ONESHOT;
  return (oneshot ? "has done its work" : "has ended") + at(unit.body, clock) +
         after_colon(exit_text(unit.body.exit_kind, unit.body.exit_value, {}));
}

std::string skipped_sentence(const UnitView& unit, const Clock& clock) {
  const std::string detail(field_text(unit.body.detail, sizeof unit.body.detail));
  return "was skipped" + at(unit.body, clock) +
         after_colon(detail.empty() ? cause_text(unit) : detail);
}

std::string state_sentence(const UnitView& unit, std::optional<uint32_t> edge,
                           const DaemonView& daemon) {
  const Clock& clock = daemon.clock;
  switch (unit.body.state) {
    case FOSTER_STATE_STOPPED:
      return stopped_sentence(unit, daemon);
    case FOSTER_STATE_STARTING:
      return starting_sentence(unit, clock);
    case FOSTER_STATE_RUNNING:
      return running_sentence(unit, clock);
    case FOSTER_STATE_STOPPING:
      return stopping_sentence(unit, clock);
    case FOSTER_STATE_BACKOFF:
      return backoff_sentence(unit, clock);
    case FOSTER_STATE_EXITED:
      return exited_sentence(unit, clock);
    case FOSTER_STATE_FAILED:
      return "has failed" + at(unit.body, clock) + after_colon(failure_text(unit));
    case FOSTER_STATE_WAITING:
      return waiting_sentence(unit, edge, clock);
    case FOSTER_STATE_SKIPPED:
      return skipped_sentence(unit, clock);
    case FOSTER_STATE_LISTENING:
      return listening_sentence(unit, clock);
    default:
      return "is in a state that this fosterctl does not know";
  }
}

std::vector<std::string> further_sentences(const UnitView& unit, const Clock& clock) {
  const foster_slot_body& body = unit.body;
  std::vector<std::string> sentences;
  if (body.health == FOSTER_HEALTH_UNHEALTHY)
    sentences.push_back(
        fmt::format("its checks find it unhealthy, {} in a row", body.check_failures));
  if (body.health == FOSTER_HEALTH_STARTING)
    sentences.emplace_back("its checks have not agreed yet");
  if (const std::string restart = given_up(body); !restart.empty()) sentences.push_back(restart);
  const std::string_view said = field_text(body.status_text, sizeof body.status_text);
  if (!said.empty()) sentences.push_back("it says: " + std::string(said));
  if (body.service_errno != 0) {
    const char* error = strerrordesc_np(body.service_errno);
    sentences.push_back(fmt::format("it reports error {}{}{}", body.service_errno,
                                    error == nullptr ? "" : ": ", error == nullptr ? "" : error));
  }
  if (is_down(body) && body.attempt != 0 && !enablement_text(unit).empty())
    sentences.push_back(fmt::format("it is {}", enablement_text(unit)));
  if (body.timer_next_real_ns != 0)
    sentences.push_back(
        fmt::format("its timer is due at {}, {}", moment_text(body.timer_next_real_ns, clock),
                    deadline_text(Duration(body.timer_next_real_ns - clock.real_ns))));
  return sentences;
}

/// How the unit depends on its blocker. Of several edges the first that can hold it back.
std::optional<uint32_t> edge_to_blocker(const UnitGraph& graph, uint32_t unit) {
  const uint32_t blocker = graph[unit].body.blocker - 1;
  std::optional<uint32_t> found;
  for (const foster_edge& edge : graph.needs(unit)) {
    if (edge.to != blocker) continue;
    if (!found || (!orders(*found) && orders(edge.kind))) found = edge.kind;
  }
  return found;
}

bool is_about_its_blocker(const foster_slot_body& body) {
  if (body.state == FOSTER_STATE_WAITING) return true;
  if (body.state == FOSTER_STATE_RUNNING) return body.cause == FOSTER_CAUSE_ON_FAILURE;
  return body.cause == FOSTER_CAUSE_DEPENDENCY || body.cause == FOSTER_CAUSE_CONFLICT;
}

/// Walks the causes, each unit once, deepest first.
class Chain {
 public:
  Chain(const UnitGraph& graph, const DaemonView& daemon)
      : graph_(graph), daemon_(daemon), seen_(graph.size(), false) {}

  std::vector<Link> from(uint32_t unit) {
    std::vector<Link> chain;
    pending_ = {{.unit = unit}};
    while (!pending_.empty()) {
      Link link = std::move(pending_.back());
      pending_.pop_back();
      describe(link);
      chain.push_back(std::move(link));
    }
    return chain;
  }

 private:
  void describe(Link& link) {
    const UnitView& unit = graph_[link.unit];
    const std::string name = printable(unit.name) + " ";
    if (seen_[link.unit]) {
      link.repeated = true;
      link.sentences = {name + "stands above already"};
      return;
    }
    seen_[link.unit] = true;
    const bool has_blocker = unit.body.blocker > 0 && unit.body.blocker <= graph_.size();
    const std::optional<uint32_t> edge =
        has_blocker ? edge_to_blocker(graph_, link.unit) : std::nullopt;
    link.sentences = {name + printable(state_sentence(unit, edge, daemon_))};
    for (const std::string& sentence : further_sentences(unit, daemon_.clock))
      link.sentences.push_back(printable(sentence));
    if (has_blocker && is_about_its_blocker(unit.body))
      pending_.push_back({.unit = unit.body.blocker - 1, .depth = link.depth + 1, .edge = edge});
    if (unit.body.state == FOSTER_STATE_STOPPING && unit.body.step == FOSTER_STEP_DEPENDENTS)
      add_stopping_dependents(link);
  }

  void add_stopping_dependents(const Link& link) {
    const size_t first = pending_.size();
    for (const foster_edge& edge : graph_.needed_by(link.unit)) {
      const bool stopping = graph_[edge.from].body.state == FOSTER_STATE_STOPPING;
      const bool there = pending_.size() > first && pending_.back().unit == edge.from;
      if (stopping && !there && orders(edge.kind))
        pending_.push_back({.unit = edge.from, .depth = link.depth + 1, .edge = edge.kind});
    }
    std::reverse(pending_.begin() + static_cast<ptrdiff_t>(first), pending_.end());
  }

  const UnitGraph& graph_;
  const DaemonView& daemon_;
  std::vector<bool> seen_;
  std::vector<Link> pending_;
};

}  // namespace

Explanation explain(const UnitGraph& graph, uint32_t unit, const DaemonView& daemon) {
  Explanation explanation{.chain = Chain(graph, daemon).from(unit)};
  // The root first: what helps there helps all that stands above it.
  for (size_t i = explanation.chain.size(); i > 0; --i) {
    const Link& link = explanation.chain[i - 1];
    if (!link.repeated) add_remedies(graph[link.unit], daemon.clock, explanation.remedies);
  }
  return explanation;
}

std::string render_chain(const Explanation& explanation) {
  std::string text;
  for (const Link& link : explanation.chain) {
    const std::string indent(2 * static_cast<size_t>(std::min(link.depth, kIndentMax)), ' ');
    for (size_t i = 0; i < link.sentences.size(); ++i)
      text += indent + (i == 0 ? "" : "  ") + link.sentences[i] + "\n";
    if (!link.output.empty()) text += indent + "  the last that it wrote:\n";
    for (const std::string& line : link.output)
      text += fmt::format("{}    | {}\n", indent, line);
  }
  return text;
}

std::string render_explanation(const Explanation& explanation) {
  std::string text = render_chain(explanation);
  if (explanation.remedies.empty()) return text;
  size_t width = 0;
  for (const Remedy& remedy : explanation.remedies)
    width = std::max(width, display_width(remedy.command));
  text += "What would change it:\n";
  for (const Remedy& remedy : explanation.remedies) {
    if (remedy.command.empty()) {
      text += "  " + remedy.text + "\n";
    } else {
      const std::string gap(width - display_width(remedy.command) + 2, ' ');
      text += "  " + remedy.command + gap + remedy.text + "\n";
    }
  }
  return text;
}

}  // namespace foster::ctl
