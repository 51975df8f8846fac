// Where a manager's unit set comes from: the first reads the unit files; each successor of it takes
// the very texts that the first one read, which the keeper holds for it in a memfd. So a crash
// never slips in an edit that nobody asked for, and unit files broken meanwhile do no harm.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "common/ipc/unique_fd.hpp"
#include "common/result.hpp"
#include "common/unit/unit_set.hpp"
#include "common/unit_source/unit_source.hpp"
#include "daemon/manager/options.hpp"

namespace foster::manager {

struct LoadedUnits {
  CheckedSet checked;             // of the files and the command
  std::vector<SourceFile> files;  // what it was made of, to be kept
};

/// Reads the directories of the options, or the standard ones. An error when there is nothing to
/// run at all; mistakes in units are in checked.diagnostics. `instances` are those that were asked
/// for at run time.
[[nodiscard]] Result<LoadedUnits> load_units(const Options& options,
                                             const InstanceCounts& instances);

/// The same from what a former manager kept.
[[nodiscard]] Result<LoadedUnits> reload_kept_units(int memfd, const Options& options,
                                                    const InstanceCounts& instances);

/// A sealed memfd with the texts.
[[nodiscard]] Result<UniqueFd> keep_units(const std::vector<SourceFile>& files);

/// All of them, one after the other, as people are shown them.
[[nodiscard]] std::string render_all(const std::vector<Diagnostic>& diagnostics);

/// The unit that `fosterd -- COMMAND` runs; its name is the program's.
[[nodiscard]] UnitSpec command_unit(const std::vector<std::string>& command);

}  // namespace foster::manager
