// cat: what a unit's files come to, template and drop-ins merged, and where each key is from.

#include "common/nearest_word.hpp"
#include "common/unit/unit_catalog.hpp"
#include "common/unit/unit_listing.hpp"
#include "common/unit_source/unit_source.hpp"
#include "ctl/render_listing.hpp"
#include "ctl/unit_paths.hpp"
#include "ctl/verbs.hpp"

namespace foster::ctl {
namespace {

/// "web" for ".../web.toml"; a template with its @.
std::string_view described_name(std::string_view path) {
  constexpr std::string_view kSuffix = ".toml";
  path.remove_suffix(path.ends_with(kSuffix) ? kSuffix.size() : 0);
  return path.substr(path.rfind('/') + 1);
}

std::string suggestion(const std::vector<SourceFile>& files, std::string_view name) {
  std::vector<std::string_view> known;
  for (const SourceFile& file : files)
    if (drop_in_owner(file.path).empty()) known.push_back(described_name(file.path));
  const std::string_view near = nearest_word(name, known);
  return near.empty() ? "" : " (did you mean " + std::string(near) + "?)";
}

}  // namespace

ExitCode run_cat(Session& session, const Arguments& arguments) {
  const SourceSet sources = read_unit_sources(unit_paths(session, arguments));
  ExitCode code = ExitCode::done;
  for (const Diagnostic& diagnostic : sources.unreadable)
    session.complain_further(render(diagnostic));
  for (size_t i = 0; i < arguments.names.size(); ++i) {
    const Result<UnitListing> listing = list_unit(sources.files, arguments.names[i]);
    if (!listing) {
      code = session.fail(ExitCode::no_such_unit,
                          listing.error().message + suggestion(sources.files, arguments.names[i]));
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
