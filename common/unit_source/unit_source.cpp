#include "common/unit_source/unit_source.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <dirent.h>
#include <fcntl.h>
#include <memory>
#include <set>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "common/instance.hpp"
#include "common/unit_source/regular_file.hpp"

namespace foster {
namespace {

constexpr std::string_view kSuffix = ".toml";
constexpr std::string_view kDropInSuffix = ".toml.d";

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

bool drop_ins_name(std::string_view name) {
  return name.ends_with(kDropInSuffix) && !name.starts_with('.') && !name.starts_with('#');
}

bool is_null_device(const struct stat& status) {
  return S_ISCHR(status.st_mode) && status.st_rdev == makedev(1, 3);
}

bool is_directory(const std::string& path) {
  struct stat status {};
  return stat(path.c_str(), &status) == 0 && S_ISDIR(status.st_mode);
}

std::string inside(const std::string& directory, const std::string& name) {
  return directory.ends_with('/') ? directory + name : directory + "/" + name;
}

class SourceReader {
 public:
  void path(const std::string& path) {
    const bool whole_directory = is_directory(path) && !path.ends_with(kSuffix);
    // A directory is a layer; so is a row of single files.
    if (started_ && (whole_directory || after_directory_)) ++layer_;
    started_ = true;
    after_directory_ = whole_directory;
    if (whole_directory) return directory(path);
    sources_.partial = true;
    file(AT_FDCWD, path.c_str(), path);
    if (path.ends_with(kSuffix) && is_directory(path + ".d")) drop_ins(path + ".d");
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
    struct stat status {};
    if (fstatat(directory, name, &status, 0) == 0 && is_null_device(status)) {
      sources_.files.push_back({path, {}, layer_, true});
      return;
    }
    Result<std::string> text = read_regular_file_at(directory, name, kUnitFileMax);
    if (text) {
      sources_.files.push_back({path, std::move(*text), layer_, false});
    } else {
      unreadable(path, std::move(text.error().message));
    }
  }

  /// The directory's entries of names that are wanted, in order.
  std::vector<std::string> names_in(DIR* stream, const std::string& path,
                                    bool (*wanted)(std::string_view)) {
    std::vector<std::string> names;
    const dirent* entry = nullptr;
    // At the end and on an error alike there is no entry; errno alone tells them apart.
    while (errno = 0, (entry = readdir(stream)) != nullptr) {
      if (wanted(entry->d_name)) names.emplace_back(entry->d_name);
    }
    if (errno != 0) unreadable(path, cannot_read(errno));
    std::ranges::sort(names);
    return names;
  }

  void directory(const std::string& path) {
    const Directory stream(opendir(path.c_str()));
    if (!stream) return unreadable(path, cannot_read(errno));
    const auto either = [](std::string_view name) {
      return unit_file_name(name) || drop_ins_name(name);
    };
    for (const std::string& name : names_in(stream.get(), path, either)) {
      const std::string full = inside(path, name);
      if (unit_file_name(name)) {
        file(dirfd(stream.get()), name.c_str(), full);
      } else {
        drop_ins(full);
      }
    }
  }

  void drop_ins(const std::string& path) {
    const Directory stream(opendir(path.c_str()));
    if (!stream) return unreadable(path, cannot_read(errno));
    for (const std::string& name : names_in(stream.get(), path, unit_file_name))
      file(dirfd(stream.get()), name.c_str(), inside(path, name));
  }

  SourceSet sources_;
  std::set<std::string> seen_;
  uint32_t layer_ = 0;
  bool started_ = false;
  bool after_directory_ = false;
};

}  // namespace

SourceSet read_unit_sources(std::span<const std::string> paths) {
  SourceReader reader;
  for (const std::string& path : paths)
    reader.path(path);
  return reader.take();
}

std::vector<std::string> standard_unit_directories(uid_t uid, std::string_view xdg_config_home,
                                                   std::string_view home,
                                                   std::string_view xdg_runtime_dir) {
  std::vector<std::string> directories{default_units_dir(uid, xdg_config_home, home)};
  if (uid == 0) {
    directories.insert(directories.begin(), "/usr/lib/foster/units");
    directories.emplace_back("/run/foster/units");
  } else if (!xdg_runtime_dir.empty()) {
    directories.push_back(std::string(xdg_runtime_dir) + "/foster/units");
  }
  std::erase_if(directories, [](const std::string& path) { return !is_directory(path); });
  return directories;
}

}  // namespace foster
