// Unit files from the disk, and packed for keeping. Reading never stops at a file that cannot be
// read and never blocks on one: a FIFO or a device among the units is a mistake like any other.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <sys/types.h>
#include <vector>

#include "common/result.hpp"
#include "common/unit/diagnostic.hpp"
#include "common/unit/unit_parser.hpp"

namespace foster {

struct SourceSet {
  std::vector<SourceFile> files;       // in the order of the paths, those of a directory by name
  std::vector<Diagnostic> unreadable;  // one for each path or file that could not be read
  bool partial = false;                // a path was that of a single file
};

/// A path is a file, or a directory that stands for all "*.toml" in it, and for the drop-ins, the
/// "*.toml" in its directories of names such as "web.toml.d": not for those in other directories
/// below it, nor hidden files and editors' backups. A single file comes with its own drop-ins. A
/// file met twice by the same path is read once.
///
/// Each directory is a layer of its own, higher than those before it; single files named one after
/// another are one layer.
[[nodiscard]] SourceSet read_unit_sources(std::span<const std::string> paths);

/// Where unit files are looked for without --units, the lowest layer first, as far as they are
/// there: root: /usr/lib/foster/units, /etc/foster/units, /run/foster/units; others:
/// default_units_dir (common/instance.hpp), $XDG_RUNTIME_DIR/foster/units.
[[nodiscard]] std::vector<std::string> standard_unit_directories(uid_t uid,
                                                                 std::string_view xdg_config_home,
                                                                 std::string_view home,
                                                                 std::string_view xdg_runtime_dir);

/// The files as bytes. unpack takes back what pack gave and refuses anything else.
[[nodiscard]] std::string pack(const std::vector<SourceFile>& files);
[[nodiscard]] Result<std::vector<SourceFile>> unpack(std::string_view bytes);

}  // namespace foster
