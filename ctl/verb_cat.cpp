// cat: what a unit's files come to, template and drop-ins merged, and where each key is from.

#include "common/unit/unit_listing.hpp"
#include "common/unit_source/unit_source.hpp"
#include "ctl/render_listing.hpp"
#include "ctl/unit_paths.hpp"
#include "ctl/verbs.hpp"

namespace foster::ctl {

ExitCode run_cat(Session& session, const Arguments& arguments) {
  const SourceSet sources = read_unit_sources(unit_paths(session, arguments));
  ExitCode code = ExitCode::done;
  for (const Diagnostic& diagnostic : sources.unreadable)
    session.complain_further(render(diagnostic));
  for (size_t i = 0; i < arguments.names.size(); ++i) {
    const Result<UnitListing> listing = list_unit(sources.files, arguments.names[i]);
    if (!listing) {
      code = session.fail(ExitCode::no_such_unit, listing.error().message);
      continue;
    }
    session.out().write((i == 0 ? "" : "\n") + render_listing(*listing));
    for (const Diagnostic& diagnostic : listing->diagnostics) {
      session.complain_further(render(diagnostic));
      code = ExitCode::failed;
    }
  }
  return code;
}

}  // namespace foster::ctl
