// version: fosterctl's own and, where a daemon runs, that one's.

#include "ctl/json.hpp"
#include "ctl/printable.hpp"
#include "ctl/verbs.hpp"
#include "ctl/words.hpp"

namespace foster::ctl {

ExitCode run_version(Session& session, const Arguments& arguments) {
  Output& out = session.out();
  if (!arguments.json) out.line("fosterctl " FOSTER_VERSION);
  const Step<OpenRegion> region = session.open_region(arguments);
  std::string daemon;
  if (region) {
    const foster_region_header header = region->reader.header();
    daemon = field_text(header.version_text, sizeof header.version_text);
  }
  if (arguments.json) {
    out.write(version_json(FOSTER_VERSION, daemon));
  } else if (region) {
    out.line("fosterd " + printable(daemon));
  }
  return region ? ExitCode::done : region.error();
}

}  // namespace foster::ctl
