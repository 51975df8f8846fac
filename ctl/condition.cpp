#include "ctl/condition.hpp"

#include <iterator>

namespace foster::ctl {
namespace {

constexpr std::string_view kWords[] = {"running", "stopped", "failed",    "exited",
                                       "waiting", "skipped", "listening", "up",
                                       "down",    "ready",   "healthy"};

}  // namespace

bool is_down(const foster_slot_body& body) {
  return body.state == FOSTER_STATE_STOPPED || body.state == FOSTER_STATE_EXITED ||
         body.state == FOSTER_STATE_FAILED || body.state == FOSTER_STATE_SKIPPED;
}

bool is_up(const foster_slot_body& body) {
  return body.state == FOSTER_STATE_LISTENING ||
         (body.state == FOSTER_STATE_RUNNING && body.type != FOSTER_TYPE_ONESHOT) ||
         (body.state == FOSTER_STATE_EXITED && body.type == FOSTER_TYPE_ONESHOT);
}

std::optional<Condition> condition_of(std::string_view word) {
  for (size_t i = 0; i < std::size(kWords); ++i) {
    if (kWords[i] == word) return static_cast<Condition>(i);
  }
  return std::nullopt;
}

std::string condition_words() {
  std::string words;
  for (const std::string_view word : kWords)
    words.append(words.empty() ? "" : ", ").append(word);
  return words;
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
    case Condition::waiting:
      return body.state == FOSTER_STATE_WAITING;
    case Condition::skipped:
      return body.state == FOSTER_STATE_SKIPPED;
    case Condition::listening:
      return body.state == FOSTER_STATE_LISTENING;
    case Condition::up:
    case Condition::ready:
      return is_up(body);
    case Condition::down:
      return is_down(body);
    case Condition::healthy:
      return is_up(body) &&
             (body.health == FOSTER_HEALTH_NONE || body.health == FOSTER_HEALTH_HEALTHY);
  }
  return false;
}

}  // namespace foster::ctl
