// Why a unit is in its state, in sentences that are short enough for a table. The whole chain of
// causes is for explanation.hpp.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "ctl/time_text.hpp"
#include "ctl/unit_view.hpp"

namespace foster::ctl {

/// "exited with code 3", "killed by SIGSEGV (core dumped)", "could not be started: ...".
[[nodiscard]] std::string exit_text(uint8_t kind, int32_t value, std::string_view detail);

/// `cause` as a sentence: "restarted too often".
[[nodiscard]] std::string_view cause_text(uint8_t cause);
/// The same, with the name of the unit that it is about: "because of db, which it depends on".
[[nodiscard]] std::string cause_text(const UnitView& unit);

/// What the unit is at within its state: "pre-start", "waiting for web to stop"; empty when the
/// state says it all.
[[nodiscard]] std::string step_text(const UnitView& unit);
/// "starting: pre-start", "waiting for db", "skipped: path /x does not exist".
[[nodiscard]] std::string state_text(const UnitView& unit);

/// How it came that the unit failed, or has to be started again.
[[nodiscard]] std::string failure_text(const UnitView& unit);

/// Of a unit that runs on because the process that was to take over could not; else empty.
[[nodiscard]] std::string given_up(const foster_slot_body& body);

/// "disabled", "masked"; empty for a unit that starts with the daemon.
[[nodiscard]] std::string_view enablement_text(uint8_t enablement);
/// The same; empty, too, for an instance that a connection starts: its file says nothing of that.
[[nodiscard]] std::string_view enablement_text(const UnitView& unit);

/// Why the unit is in its state and what comes next; empty when there is nothing to say.
[[nodiscard]] std::string why_text(const UnitView& unit, const Clock& clock);

}  // namespace foster::ctl
