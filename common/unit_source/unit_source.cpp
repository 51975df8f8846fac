#include "common/unit_source/unit_source.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <dirent.h>
#include <fcntl.h>
#include <memory>
#include <set>
#include <sys/stat.h>

#include "common/unit_source/regular_file.hpp"

namespace foster {
namespace {

constexpr std::string_view kSuffix = ".toml";

struct CloseDirectory {
  void operator()(DIR* directory) const { closedir(directory); }
};
using Directory = std::unique_ptr<DIR, CloseDirectory>;

std::string cannot_read(int code) {
  return std::string("cannot read: ") + strerrordesc_np(code);
}

/// Whether a directory's entry is meant to be a unit. Editors' backups and lock files end otherwise
/// ("x.toml~", "#x.toml#") or begin with a '.'.
bool unit_file_name(std::string_view name) {
  return name.ends_with(kSuffix) && !name.starts_with('.') && !name.starts_with('#');
}

class SourceReader {
 public:
  void path(const std::string& path) {
    struct stat status {};
    if (stat(path.c_str(), &status) == 0 && S_ISDIR(status.st_mode) && !path.ends_with(kSuffix))
      return directory(path);
    file(AT_FDCWD, path.c_str(), path);
  }

  SourceSet take() { return std::move(sources_); }

 private:
  void unreadable(const std::string& path, std::string message) {
    Diagnostic diagnostic;
    diagnostic.file = path;
    diagnostic.message = std::move(message);
    sources_.unreadable.push_back(std::move(diagnostic));
  }

  void file(int directory, const char* name, const std::string& path) {
    if (!seen_.insert(path).second) return;
    Result<std::string> text = read_regular_file_at(directory, name, kUnitFileMax);
    if (text) {
      sources_.files.push_back({path, std::move(*text)});
    } else {
      unreadable(path, std::move(text.error().message));
    }
  }

  void directory(const std::string& path) {
    const Directory stream(opendir(path.c_str()));
    if (!stream) return unreadable(path, cannot_read(errno));
    std::vector<std::string> names;
    const dirent* entry = nullptr;
    // At the end and on an error alike there is no entry; errno alone tells them apart.
    while (errno = 0, (entry = readdir(stream.get())) != nullptr) {
      if (unit_file_name(entry->d_name)) names.emplace_back(entry->d_name);
    }
    if (errno != 0) unreadable(path, cannot_read(errno));
    std::ranges::sort(names);
    const std::string prefix = path.ends_with('/') ? path : path + "/";
    for (const std::string& name : names)
      file(dirfd(stream.get()), name.c_str(), prefix + name);
  }

  SourceSet sources_;
  std::set<std::string> seen_;
};

}  // namespace

SourceSet read_unit_sources(std::span<const std::string> paths) {
  SourceReader reader;
  for (const std::string& path : paths)
    reader.path(path);
  return reader.take();
}

}  // namespace foster
