// Unit files from the disk, and packed for keeping. Reading never stops at a file that cannot be
// read and never blocks on one: a FIFO or a device among the units is a mistake like any other.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "common/result.hpp"
#include "common/unit/diagnostic.hpp"
#include "common/unit/unit_parser.hpp"

namespace foster {

struct SourceSet {
  std::vector<SourceFile> files;       // in the order of the paths, those of a directory by name
  std::vector<Diagnostic> unreadable;  // one for each path or file that could not be read
};

/// A path is a file, or a directory that stands for all "*.toml" in it: not for those in
/// directories below it, nor hidden files and editors' backups. A file met twice by the same path
/// is read once.
[[nodiscard]] SourceSet read_unit_sources(std::span<const std::string> paths);

/// The files as bytes. unpack takes back what pack gave and refuses anything else.
[[nodiscard]] std::string pack(const std::vector<SourceFile>& files);
[[nodiscard]] Result<std::vector<SourceFile>> unpack(std::string_view bytes);

}  // namespace foster
