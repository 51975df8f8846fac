// The numbers of the status region as words. One spelling for people and for --json alike.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "common/instant.hpp"
#include "common/region/layout.h"
#include "common/region/reader.hpp"

namespace foster::ctl {

/// The present, by both clocks: what is shown depends on it, and tests choose it.
struct Clock {
  Instant boot;
  int64_t real_ns = 0;
};

/// A number that this version does not know comes out as "unknown": the region may be newer.
[[nodiscard]] std::string_view state_word(uint8_t state);
[[nodiscard]] std::string_view goal_word(uint8_t goal);
[[nodiscard]] std::string_view type_word(uint8_t type);
[[nodiscard]] std::string_view cause_word(uint8_t cause);
[[nodiscard]] std::string_view exit_kind_word(uint8_t kind);
[[nodiscard]] std::string_view phase_word(uint32_t phase);
[[nodiscard]] std::string_view event_word(uint8_t kind);
[[nodiscard]] std::string_view verb_word(uint64_t job);
[[nodiscard]] std::string_view liveness_word(region::Liveness liveness);

/// "exited with code 3", "killed by SIGSEGV (core dumped)", "could not be started: ...".
[[nodiscard]] std::string exit_text(uint8_t kind, int32_t value, std::string_view detail);

/// `cause` as a sentence: "restarted too often".
[[nodiscard]] std::string_view cause_text(uint8_t cause);

/// Why the unit is in its state and what comes next; empty when there is nothing to say.
[[nodiscard]] std::string why_text(const foster_slot_body& body, Instant now);

/// "just now", "12s ago", "2h 5min ago".
[[nodiscard]] std::string age_text(Duration age);
/// The same without "ago": "12s".
[[nodiscard]] std::string span_text(Duration span);
/// "now", "in 1.2s", "in 3min".
[[nodiscard]] std::string deadline_text(Duration left);
/// "2026-05-01 12:00:03" in local time.
[[nodiscard]] std::string date_text(int64_t real_ns);
/// "1.5 MiB".
[[nodiscard]] std::string kib_text(uint64_t kib);

/// At rest: stopped, exited or failed.
[[nodiscard]] bool is_down(const foster_slot_body& body);
/// Running, or a oneshot that has done its work.
[[nodiscard]] bool is_up(const foster_slot_body& body);

/// What `wait --for` waits for.
enum class Condition : uint8_t { running, stopped, failed, exited, up, down };
[[nodiscard]] std::optional<Condition> condition_of(std::string_view word);
[[nodiscard]] bool holds(Condition condition, const foster_slot_body& body);

/// One of FOSTER_FLAG_*.
[[nodiscard]] constexpr bool has_flag(const foster_slot_body& body, uint32_t flag) {
  return (body.flags & flag) != 0;
}

/// A string of the region's fixed size.
[[nodiscard]] std::string_view field_text(const char* field, size_t size);

}  // namespace foster::ctl
