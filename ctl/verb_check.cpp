// check: the code by which fosterd reads unit files, run on files that nobody runs yet.

#include "common/instance.hpp"
#include "common/unit/unit_set.hpp"
#include "common/unit_source/unit_source.hpp"
#include "ctl/verbs.hpp"

namespace foster::ctl {
namespace {

std::string counted(size_t count, std::string_view what) {
  return std::to_string(count) + " " + std::string(what) + (count == 1 ? "" : "s");
}

}  // namespace

ExitCode run_check(Session& session, const Arguments& arguments) {
  std::vector<std::string> paths = arguments.names;
  const Environment& environment = session.environment();
  if (paths.empty())
    paths = {default_units_dir(environment.uid, environment.xdg_config_home, environment.home)};
  SourceSet sources = read_unit_sources(paths);
  const CheckedSet checked = build_unit_set(sources.files, std::move(sources.unreadable));
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
