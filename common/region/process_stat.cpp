#include "common/region/process_stat.hpp"

#include <cerrno>
#include <charconv>
#include <fcntl.h>
#include <unistd.h>

#include "common/ipc/unique_fd.hpp"

namespace foster::region {
namespace {

constexpr int kStateField = 3;
constexpr int kStartTimeField = 22;

// Files of /proc are made at the first read, whole; one read of a large enough buffer gets them.
std::string read_small_file(const char* path) {
  const UniqueFd fd(open(path, O_RDONLY | O_CLOEXEC));
  if (!fd) return {};
  char bytes[2048];
  ssize_t length = 0;
  do {
    length = read(fd.get(), bytes, sizeof bytes);
  } while (length < 0 && errno == EINTR);
  return length > 0 ? std::string(bytes, static_cast<size_t>(length)) : std::string();
}

}  // namespace

std::optional<ProcessStat> parse_process_stat(std::string_view text) {
  const size_t name_end = text.rfind(')');
  if (name_end == std::string_view::npos || name_end + 2 >= text.size()) return std::nullopt;
  text.remove_prefix(name_end + 2);
  ProcessStat stat{.state = text.front()};
  for (int field = kStateField; field < kStartTimeField; ++field) {
    const size_t blank = text.find(' ');
    if (blank == std::string_view::npos) return std::nullopt;
    text.remove_prefix(blank + 1);
  }
  const auto [end, error] =
      std::from_chars(text.data(), text.data() + text.size(), stat.start_ticks);
  if (error != std::errc{}) return std::nullopt;
  return stat;
}

std::optional<ProcessStat> read_process_stat(pid_t pid) {
  return parse_process_stat(read_small_file(("/proc/" + std::to_string(pid) + "/stat").c_str()));
}

std::string read_boot_id() {
  std::string id = read_small_file("/proc/sys/kernel/random/boot_id");
  if (id.ends_with('\n')) id.pop_back();
  return id;
}

}  // namespace foster::region
