#include "daemon/manager/held_file.hpp"

#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <charconv>

#include "common/unit_source/regular_file.hpp"

namespace foster::manager {
namespace {

constexpr size_t kDescriptionMax = size_t{16} << 10;
constexpr size_t kMountsMax = size_t{64} << 20;

constexpr std::array<std::string_view, 12> kServed{"9p",   "afs",   "ceph",     "cifs",
                                                   "coda", "gfs2",  "gpfs",     "nfs",
                                                   "nfs4", "ocfs2", "orangefs", "smb3"};

/// -1 when it is not there.
int64_t number_after(std::string_view text, std::string_view label) {
  const size_t at = text.find(label);
  if (at == std::string_view::npos) return -1;
  const size_t digits = text.find_first_not_of(" \t", at + label.size());
  if (digits == std::string_view::npos) return -1;
  int64_t number = -1;
  std::from_chars(text.data() + digits, text.data() + text.size(), number);
  return number;
}

/// Takes what is before the next separator, or the rest.
std::string_view take_until(std::string_view& text, char separator) {
  const size_t end = text.find(separator);
  const std::string_view taken = text.substr(0, end);
  text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
  return taken;
}

Result<std::string> file_system_of(int fd) {
  const auto about = read_regular_file("/proc/self/fdinfo/" + std::to_string(fd), kDescriptionMax);
  if (!about) return std::unexpected(about.error());
  const auto mounts = read_regular_file("/proc/self/mountinfo", kMountsMax);
  if (!mounts) return std::unexpected(mounts.error());
  return std::string(mount_type(*mounts, number_after(*about, "mnt_id:")));
}

}  // namespace

bool is_file(int fd) {
  struct statx status {};
  return statx(fd, "", AT_EMPTY_PATH | AT_STATX_DONT_SYNC, STATX_TYPE, &status) == 0 &&
         (S_ISREG(status.stx_mode) || S_ISDIR(status.stx_mode));
}

Result<void> can_be_held(int fd) {
  // What is in memory alone can have seals (memfd_create(2)), and is of no mount that is seen.
  if (!is_file(fd) || fcntl(fd, F_GET_SEALS) >= 0) return {};
  const auto type = file_system_of(fd);
  if (!type) return std::unexpected(type.error());
  if (type->empty())
    return std::unexpected(Error{"it is a file of a mount that cannot be seen from here", EXDEV});
  if (!asks_a_server(*type)) return {};
  return std::unexpected(
      Error{"it is a file of " + *type + ", and closing it would wait for a server", EREMOTE});
}

std::string_view mount_type(std::string_view mountinfo, int64_t mount) {
  while (!mountinfo.empty()) {
    std::string_view line = take_until(mountinfo, '\n');
    if (number_after(line, "") != mount) continue;
    // Before it stands a number of optional fields that is not known.
    const size_t separator = line.find(" - ");
    if (separator == std::string_view::npos) return {};
    line.remove_prefix(separator + 3);
    return take_until(line, ' ');
  }
  return {};
}

bool asks_a_server(std::string_view type) {
  return type.starts_with("fuse") || std::ranges::find(kServed, type) != kServed.end();
}

}  // namespace foster::manager
