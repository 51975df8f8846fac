#include "daemon/manager/report.hpp"

#include <array>

#include "common/signal_name.hpp"
#include "daemon/manager/log.hpp"

namespace foster::manager {
namespace {

const char* state_word(core::UnitState state) {
  switch (state) {
    case core::UnitState::stopped:
      return "stopped";
    case core::UnitState::starting:
      return "starting";
    case core::UnitState::running:
      return "running";
    case core::UnitState::stopping:
      return "stopping";
    case core::UnitState::backoff:
      return "waiting to restart";
    case core::UnitState::exited:
      return "done";
    case core::UnitState::failed:
      return "failed";
    case core::UnitState::waiting:
      return "held back";
    case core::UnitState::skipped:
      return "skipped";
    case core::UnitState::listening:
      return "listening";
  }
  return "unknown";
}

std::string exit_text(const core::Note& note) {
  switch (note.exit_kind) {
    case core::ExitKind::code:
      return "code " + std::to_string(note.value);
    case core::ExitKind::signal:
      return std::string(signal_name(note.value));
    case core::ExitKind::core_dump:
      return std::string(signal_name(note.value)) + " (core dumped)";
    case core::ExitKind::spawn:
      return note.text;
    case core::ExitKind::none:
      break;
  }
  return "nothing";
}

/// The fields that say something: a unit without a process has no pid, many notes need no words.
void write(Level level, std::string_view message, const core::Note& note, const std::string& unit,
           std::string_view extra_key = {}, const std::string& extra = {}) {
  std::vector<Field> fields;
  if (note.about_unit) fields.emplace_back("unit", unit);
  if (note.pid > 0) fields.emplace_back("pid", note.pid);
  if (note.attempt.value > 0) fields.emplace_back("attempt", note.attempt.value);
  if (!extra_key.empty()) fields.emplace_back(extra_key, extra);
  const bool said = note.kind == core::NoteKind::exit && note.exit_kind == core::ExitKind::spawn;
  if (!note.text.empty() && !said) fields.emplace_back("why", note.text);
  log(level, message, fields);
}

void report_state(const core::Note& note, const std::string& unit) {
  // The states in between are in the flight recorder; the log has what people look for.
  if (note.state == core::UnitState::starting || note.state == core::UnitState::stopping ||
      note.state == core::UnitState::waiting)
    return;
  const Level level = note.state == core::UnitState::failed ? Level::error : Level::info;
  write(level, state_word(note.state), note, unit);
}

}  // namespace

void report(const core::Note& note, const std::string& unit) {
  switch (note.kind) {
    case core::NoteKind::state:
      return report_state(note, unit);
    case core::NoteKind::exit:
      return write(Level::info, "ended", note, unit, "by", exit_text(note));
    case core::NoteKind::signal:
      return write(Level::info, "signalled", note, unit, "signal", signal_name(note.value));
    case core::NoteKind::request:
      return write(Level::info, "asked for", note, unit);
    case core::NoteKind::shutdown:
      return write(Level::info, "stopping everything", note, unit, "exit_code",
                   std::to_string(note.value));
    case core::NoteKind::hook:
      return write(Level::info, "hook", note, unit);
    case core::NoteKind::health:
      return write(Level::warning, "health", note, unit);
    case core::NoteKind::ready:
      return write(Level::info, "readiness", note, unit);
  }
}

std::string summary(const core::Supervisor& core) {
  std::array<size_t, 10> counts{};
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
