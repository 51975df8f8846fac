// One call of fosterctl: where its words go, and the region that it looks at.
#pragma once

#include <expected>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "common/region/reader.hpp"
#include "ctl/arguments.hpp"
#include "ctl/environment.hpp"
#include "ctl/exit_code.hpp"
#include "ctl/output.hpp"
#include "ctl/snapshot.hpp"
#include "ctl/table.hpp"
#include "ctl/unit_graph.hpp"

namespace foster::ctl {

/// What a step came to: a value, or the code to exit with once the reason has been written.
template <class T>
using Step = std::expected<T, ExitCode>;

struct OpenRegion {
  std::string id;  // of the instance
  region::Reader reader;
};

struct NoRegion {
  ExitCode code = ExitCode::no_daemon;
  std::string message;
};

class Session {
 public:
  Session(const Environment& environment, Output& out, Output& err)
      : environment_(environment), out_(out), err_(err) {}

  [[nodiscard]] const Environment& environment() const { return environment_; }
  [[nodiscard]] Output& out() { return out_; }

  /// "fosterctl: <message>" to stderr. What stdout was told before comes out before it.
  void complain(std::string_view message);
  /// Lines that belong to the last complaint, printable already.
  void complain_further(std::string_view lines);
  /// The same as a verb's last word.
  [[nodiscard]] ExitCode fail(ExitCode code, std::string_view message);

  /// The region of the instance that is meant, or why there is none, which nobody has been told
  /// yet.
  [[nodiscard]] std::expected<OpenRegion, NoRegion> find_region(const Arguments& arguments) const;
  /// The same, and the reason is complained about.
  [[nodiscard]] Step<OpenRegion> open_region(const Arguments& arguments);

  /// The slots that are meant, each once, in order of name; no names mean all of them. Names
  /// without a match are complained about, each with the nearest name that there is.
  [[nodiscard]] Step<std::vector<uint32_t>> select(const region::Reader& reader,
                                                   const std::vector<std::string>& names);

  /// The daemon's processes at this moment.
  [[nodiscard]] DaemonView look_at_daemon(const region::Reader& reader);

  /// Shows one unit after the other.
  [[nodiscard]] Step<void> visit(const region::Reader& reader, const std::vector<uint32_t>& slots,
                                 const std::function<void(const UnitView&)>& show);

  /// All units, and what they are to each other.
  [[nodiscard]] Step<UnitGraph> look_at_graph(const region::Reader& reader);

  /// One look at the daemon and the units that are meant.
  [[nodiscard]] Step<Snapshot> look(const region::Reader& reader,
                                    const std::vector<uint32_t>& slots);

 private:
  const Environment& environment_;
  Output& out_;
  Output& err_;
};

[[nodiscard]] Clock present_clock();

[[nodiscard]] RenderOptions render_options(const Environment& environment,
                                           const Arguments& arguments);

}  // namespace foster::ctl
