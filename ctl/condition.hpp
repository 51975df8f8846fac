// What may be said of a unit in a word: for `wait --for`, and for whoever has to know that a unit
// is up.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "common/region/layout.h"

namespace foster::ctl {

/// At rest: stopped, exited, failed or skipped.
[[nodiscard]] bool is_down(const foster_slot_body& body);
/// Running (which it is once it is ready), listening for what will start it, or a oneshot that has
/// done its work.
[[nodiscard]] bool is_up(const foster_slot_body& body);

enum class Condition : uint8_t {
  running,
  stopped,
  failed,
  exited,
  waiting,
  skipped,
  listening,
  up,
  down,
  ready,
  healthy,
};

[[nodiscard]] std::optional<Condition> condition_of(std::string_view word);
/// "running, stopped, ...": all there are.
[[nodiscard]] std::string condition_words();
[[nodiscard]] bool holds(Condition condition, const foster_slot_body& body);

}  // namespace foster::ctl
