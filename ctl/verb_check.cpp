// check: the code by which fosterd reads unit files, run on files that nobody runs yet; and the
// code by which it reads calendar events.

#include "common/calendar/calendar.hpp"
#include "common/instance.hpp"
#include "common/unit/unit_set.hpp"
#include "common/unit_source/unit_source.hpp"
#include "ctl/time_text.hpp"
#include "ctl/verbs.hpp"

namespace foster::ctl {
namespace {

constexpr int kElapses = 5;
constexpr int64_t kMicrosecond = 1'000;

std::string counted(size_t count, std::string_view what) {
  return std::to_string(count) + " " + std::string(what) + (count == 1 ? "" : "s");
}

std::vector<std::string> standard_paths(const Environment& environment) {
  std::vector<std::string> paths = standard_unit_directories(
      environment.uid, environment.xdg_config_home, environment.home, environment.xdg_runtime_dir);
  // What is wrong when there is none is that the usual one cannot be read.
  if (paths.empty())
    paths = {default_units_dir(environment.uid, environment.xdg_config_home, environment.home)};
  return paths;
}

void show_elapses(Output& out, const Calendar& calendar, int64_t now_us) {
  std::optional<int64_t> time = next_elapse(calendar, now_us);
  if (!time) out.line("  never");
  for (int i = 0; i < kElapses && time; ++i) {
    const Duration left((*time - now_us) * kMicrosecond);
    out.line("  " + format_elapse(calendar, *time) + "  " + deadline_text(left));
    time = next_elapse(calendar, *time);
  }
}

ExitCode check_calendars(Session& session, const Arguments& arguments) {
  ExitCode code = ExitCode::done;
  const int64_t now_us = wall_clock_ns() / kMicrosecond;
  for (const std::string& text : arguments.calendars) {
    const Result<Calendar> calendar = parse_calendar(text);
    if (!calendar) {
      code = session.fail(ExitCode::failed, calendar.error().message);
    } else if (!arguments.quiet) {
      session.out().line(format_calendar(*calendar));
      show_elapses(session.out(), *calendar, now_us);
    }
  }
  return code;
}

}  // namespace

ExitCode run_check(Session& session, const Arguments& arguments) {
  if (!arguments.calendars.empty() && arguments.names.empty())
    return check_calendars(session, arguments);
  if (!arguments.calendars.empty())
    return session.fail(ExitCode::usage, "unit files and calendar events are checked one by one");
  const std::vector<std::string> paths =
      arguments.names.empty() ? standard_paths(session.environment()) : arguments.names;
  SourceSet sources = read_unit_sources(paths);
  const CheckedSet checked =
      build_unit_set(sources.files, std::move(sources.unreadable), {.partial = sources.partial});
  Output& out = session.out();
  for (const Diagnostic& diagnostic : checked.diagnostics)
    out.write(render(diagnostic));
  if (!checked.set) {
    if (!arguments.quiet) out.line(counted(checked.diagnostics.size(), "mistake"));
    return ExitCode::failed;
  }
  if (!arguments.quiet) out.line(counted(checked.set->size(), "unit") + ", no mistakes");
  return ExitCode::done;
}

}  // namespace foster::ctl
