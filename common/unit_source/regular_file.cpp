#include "common/unit_source/regular_file.hpp"

#include <algorithm>
#include <cerrno>
#include <fcntl.h>
#include <optional>
#include <sys/stat.h>
#include <unistd.h>

#include "common/ipc/unique_fd.hpp"

namespace foster {
namespace {

/// What a thing that is no regular file is called; null for a regular file.
const char* kind_other_than_file(mode_t mode) {
  if (S_ISREG(mode)) return nullptr;
  if (S_ISDIR(mode)) return "a directory";
  if (S_ISFIFO(mode)) return "a FIFO (a named pipe)";
  if (S_ISSOCK(mode)) return "a socket";
  if (S_ISCHR(mode) || S_ISBLK(mode)) return "a device";
  return "something else";
}

std::string size_text(size_t bytes) {
  constexpr size_t kKibi = 1024;
  constexpr size_t kMebi = kKibi * kKibi;
  if (bytes % kMebi == 0) return std::to_string(bytes / kMebi) + " MiB";
  if (bytes % kKibi == 0) return std::to_string(bytes / kKibi) + " KiB";
  return std::to_string(bytes) + " bytes";
}

Error with_code(int code) {
  return {strerrordesc_np(code), code};
}

Error too_long(size_t most) {
  return {"it is longer than " + size_text(most), 0};
}

/// Why a thing with this status is not read, if it is not.
std::optional<Error> unfit(const struct stat& status, size_t most) {
  if (const char* kind = kind_other_than_file(status.st_mode))
    return Error{std::string("it is ") + kind + ", not a file", 0};
  if (status.st_size > static_cast<off_t>(most)) return too_long(most);
  return std::nullopt;
}

std::expected<std::string, Error> read_all(int fd, size_t expected_size, size_t most) {
  std::string text;
  size_t length = 0;
  // A byte more than the file is said to have, so that its end is seen without growing.
  text.resize(expected_size + 1);
  for (;;) {
    if (length == text.size()) text.resize(std::min(text.size() * 2, most + 1));
    const ssize_t got = read(fd, text.data() + length, text.size() - length);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return std::unexpected(with_code(errno));
    if (got == 0) break;
    length += static_cast<size_t>(got);
    if (length > most) return std::unexpected(too_long(most));
  }
  text.resize(length);
  return text;
}

std::expected<std::string, Error> read_checked(int directory, const char* name, size_t most) {
  struct stat status {};
  if (fstatat(directory, name, &status, 0) != 0) return std::unexpected(with_code(errno));
  if (std::optional<Error> why = unfit(status, most)) return std::unexpected(std::move(*why));
  const UniqueFd file(openat(directory, name, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY));
  if (!file || fstat(file.get(), &status) != 0) return std::unexpected(with_code(errno));
  // What it was a moment ago need not be what was opened.
  if (std::optional<Error> why = unfit(status, most)) return std::unexpected(std::move(*why));
  return read_all(file.get(), static_cast<size_t>(status.st_size), most);
}

}  // namespace

Result<std::string> read_regular_file(const std::string& path, size_t most) {
  std::expected<std::string, Error> text = read_checked(AT_FDCWD, path.c_str(), most);
  if (!text) return context("read " + path, std::move(text.error()));
  return std::move(*text);
}

Result<std::string> read_regular_file_at(int directory, const char* name, size_t most) {
  std::expected<std::string, Error> text = read_checked(directory, name, most);
  if (!text) return context("read", std::move(text.error()));
  return std::move(*text);
}

}  // namespace foster
