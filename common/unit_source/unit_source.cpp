#include "common/unit_source/unit_source.hpp"

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <dirent.h>
#include <expected>
#include <fcntl.h>
#include <memory>
#include <set>
#include <sys/stat.h>
#include <unistd.h>

namespace foster {
namespace {

constexpr std::string_view kSuffix = ".toml";

class Descriptor {
 public:
  explicit Descriptor(int fd) : fd_(fd) {}
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  ~Descriptor() {
    if (fd_ >= 0) close(fd_);
  }
  [[nodiscard]] int get() const { return fd_; }

 private:
  int fd_;
};

struct CloseDirectory {
  void operator()(DIR* directory) const { closedir(directory); }
};
using Directory = std::unique_ptr<DIR, CloseDirectory>;

std::string cannot_read(int code) {
  return std::string("cannot read: ") + strerrordesc_np(code);
}

/// What a thing that is no regular file is called; null for a regular file.
const char* kind_other_than_file(mode_t mode) {
  if (S_ISREG(mode)) return nullptr;
  if (S_ISDIR(mode)) return "a directory";
  if (S_ISFIFO(mode)) return "a FIFO (a named pipe)";
  if (S_ISSOCK(mode)) return "a socket";
  if (S_ISCHR(mode) || S_ISBLK(mode)) return "a device";
  return "something else";
}

/// Why a thing with this status is not read; empty when it is.
std::string unfit(const struct stat& status) {
  if (const char* kind = kind_other_than_file(status.st_mode))
    return std::string(kind) + ", not a unit file";
  if (status.st_size > static_cast<off_t>(kUnitFileMax))
    return "the file is longer than 1 MiB: no unit file is";
  return {};
}

/// All bytes up to the end; more than a unit file may have are cut, so that the parser refuses
/// them.
std::expected<std::string, std::string> read_all(int fd, size_t expected_size) {
  std::string text;
  size_t length = 0;
  // One byte more than the file is said to have: its end is then seen by the first read.
  text.resize(expected_size + 1);
  while (length <= kUnitFileMax) {
    if (length == text.size()) text.resize(std::min(text.size() * 2, kUnitFileMax + 1));
    const ssize_t got = read(fd, text.data() + length, text.size() - length);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return std::unexpected(cannot_read(errno));
    if (got == 0) break;
    length += static_cast<size_t>(got);
  }
  text.resize(length);
  return text;
}

/// The text of a file, or what is wrong with it. Looks at what it is before it opens it: to open a
/// device may do something.
std::expected<std::string, std::string> read_file(int directory, const char* name) {
  struct stat status {};
  if (fstatat(directory, name, &status, 0) != 0) return std::unexpected(cannot_read(errno));
  if (std::string why = unfit(status); !why.empty()) return std::unexpected(std::move(why));
  const Descriptor file(openat(directory, name, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY));
  if (file.get() < 0 || fstat(file.get(), &status) != 0) return std::unexpected(cannot_read(errno));
  if (std::string why = unfit(status); !why.empty()) return std::unexpected(std::move(why));
  return read_all(file.get(), static_cast<size_t>(status.st_size));
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
    std::expected<std::string, std::string> text = read_file(directory, name);
    if (text) {
      sources_.files.push_back({path, std::move(*text)});
    } else {
      unreadable(path, std::move(text.error()));
    }
  }

  void directory(const std::string& path) {
    const Directory stream(opendir(path.c_str()));
    if (!stream) return unreadable(path, cannot_read(errno));
    std::vector<std::string> names;
    errno = 0;
    while (const dirent* entry = readdir(stream.get())) {
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
