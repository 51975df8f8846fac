#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>

#include "common/ipc/unique_fd.hpp"
#include "common/unit_source/regular_file.hpp"
#include "daemon/manager/settings.hpp"

namespace foster::manager {
namespace {

constexpr size_t kSettingsMax = 16 * 1024 * 1024;
constexpr mode_t kDirectoryMode = 0755;
constexpr mode_t kFileMode = 0644;
constexpr char kFile[] = "/settings.json";
constexpr char kNewFile[] = "/settings.json.new";
constexpr char kBadFile[] = "/settings.json.bad";

Result<void> make_directories(const std::string& path) {
  for (size_t end = path.find('/', 1);; end = path.find('/', end + 1)) {
    const std::string part = path.substr(0, end);
    if (mkdir(part.c_str(), kDirectoryMode) != 0 && errno != EEXIST)
      return system_failure("make " + part, errno);
    if (end == std::string::npos) return {};
  }
}

Result<void> write_whole(const std::string& path, const std::string& text) {
  const UniqueFd file(
      open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, kFileMode));
  if (!file) return system_failure("open " + path, errno);
  for (size_t done = 0; done < text.size();) {
    const ssize_t taken = ::write(file.get(), text.data() + done, text.size() - done);
    if (taken < 0) return system_failure("write " + path, errno);
    done += static_cast<size_t>(taken);
  }
  if (fsync(file.get()) != 0) return system_failure("write " + path, errno);
  return {};
}

}  // namespace

SettingsFile::Found SettingsFile::read() const {
  if (directory_.empty()) return {};
  const std::string path = directory_ + kFile;
  const auto text = read_regular_file(path, kSettingsMax);
  if (!text) {
    const bool none = text.error().system_error == ENOENT;
    return {{}, none ? "" : text.error().message};
  }
  auto settings = parse_settings(*text);
  if (settings) return {std::move(*settings), ""};
  const std::string aside = directory_ + kBadFile;
  const bool moved = rename(path.c_str(), aside.c_str()) == 0;
  return {{}, settings.error().message + "; " + path + (moved ? " is now " + aside : "")};
}

Result<void> SettingsFile::write(const std::string& text) const {
  constexpr char kWhat[] = "keep the settings";
  if (directory_.empty())
    return failure(kWhat, "there is no directory for them; name one with --state-dir");
  if (auto made = make_directories(directory_); !made) return context(kWhat, made.error());
  const std::string path = directory_ + kFile;
  const std::string fresh = directory_ + kNewFile;
  if (auto written = write_whole(fresh, text); !written) return context(kWhat, written.error());
  if (rename(fresh.c_str(), path.c_str()) != 0)
    return context(kWhat, Error{"cannot replace " + path + ": " + strerrordesc_np(errno), errno});
  // Without this the new name may be lost with the power, though the file is not.
  const UniqueFd directory(open(directory_.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!directory || fsync(directory.get()) != 0)
    return context(kWhat,
                   Error{"cannot write " + directory_ + ": " + strerrordesc_np(errno), errno});
  return {};
}

std::string default_state_dir(std::string_view id, bool root, std::string_view xdg_state_home,
                              std::string_view home) {
  const std::string tail = "/foster/" + std::string(id);
  if (root) return "/var/lib" + tail;
  if (!xdg_state_home.empty()) return std::string(xdg_state_home) + tail;
  return home.empty() ? "" : std::string(home) + "/.local/state" + tail;
}

}  // namespace foster::manager
