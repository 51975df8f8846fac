#include "daemon/manager/report.hpp"

#include <array>

#include "common/signal_name.hpp"
#include "daemon/manager/log.hpp"

namespace foster::manager {
namespace {

const char* state_word(core::UnitState state) {
  switch (state) {
    case core::UnitState::stopped: return "stopped";
    case core::UnitState::starting: return "starting";
    case core::UnitState::running: return "running";
    case core::UnitState::stopping: return "stopping";
    case core::UnitState::backoff: return "waiting to restart";
    case core::UnitState::exited: return "done";
    case core::UnitState::failed: return "failed";
  }
  return "unknown";
}

std::string exit_text(const core::Note& note) {
  switch (note.exit_kind) {
    case core::ExitKind::code: return "code " + std::to_string(note.value);
    case core::ExitKind::signal: return std::string(signal_name(note.value));
    case core::ExitKind::core_dump: return std::string(signal_name(note.value)) + " (core dumped)";
    case core::ExitKind::spawn: return note.text;
    case core::ExitKind::none: break;
  }
  return "nothing";
}

void report_state(const core::Note& note, const std::string& unit) {
  // The states in between are in the flight recorder; the log has what people look for.
  if (note.state == core::UnitState::starting || note.state == core::UnitState::stopping) return;
  const Level level = note.state == core::UnitState::failed ? Level::error : Level::info;
  if (note.text.empty())
    log(level, state_word(note.state), {{"unit", unit}, {"pid", note.pid}, {"attempt", note.attempt.value}});
  else
    log(level, state_word(note.state),
        {{"unit", unit}, {"attempt", note.attempt.value}, {"why", note.text}});
}

}  // namespace

void report(const core::Note& note, const std::string& unit) {
  switch (note.kind) {
    case core::NoteKind::state: return report_state(note, unit);
    case core::NoteKind::exit:
      return log(Level::info, "ended",
                 {{"unit", unit}, {"pid", note.pid}, {"attempt", note.attempt.value}, {"by", exit_text(note)}});
    case core::NoteKind::signal:
      return log(Level::info, "signalled",
                 {{"unit", unit}, {"pid", note.pid}, {"signal", signal_name(note.value)}, {"why", note.text}});
    case core::NoteKind::request:
      return log(Level::info, "asked for", {{"unit", unit}, {"verb", note.text}});
    case core::NoteKind::shutdown:
      return log(Level::info, "stopping everything", {{"why", note.text}, {"exit_code", note.value}});
  }
}

std::string summary(const core::Supervisor& core) {
  std::array<size_t, 7> counts{};
  for (uint32_t i = 0; i < core.set().size(); ++i)
    ++counts[static_cast<size_t>(core.record({i}).state)];
  std::string text;
  for (size_t state = 0; state < counts.size(); ++state) {
    if (counts[state] == 0) continue;
    text += (text.empty() ? "" : ", ") + std::to_string(counts[state]) + " " +
            state_word(static_cast<core::UnitState>(state));
  }
  return text.empty() ? "no units" : text;
}

}  // namespace foster::manager
