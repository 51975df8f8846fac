#include "daemon/manager/instance_home.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>

#include "common/bus_api.hpp"
#include "common/instance.hpp"
#include "common/output_tail/output_tail.hpp"

namespace foster::manager {
namespace {

constexpr mode_t kDirectoryMode = 0755;
constexpr int kBacklog = 256;

/// A directory that another user made or may write to could hand our clients to somebody else.
Result<void> trust(const std::string& path) {
  struct stat found {};
  if (lstat(path.c_str(), &found) != 0) return system_failure("inspect " + path, errno);
  if (!S_ISDIR(found.st_mode)) return failure("use " + path, "it is not a directory");
  if (found.st_uid != geteuid())
    return failure("use " + path, "it belongs to uid " + std::to_string(found.st_uid));
  if ((found.st_mode & (S_IWGRP | S_IWOTH)) != 0)
    return failure("use " + path, "others may write to it");
  return {};
}

/// mkdir -p; only the last two levels are ever foster's own.
Result<void> make_directories(const std::string& path) {
  for (size_t end = path.find('/', 1);; end = path.find('/', end + 1)) {
    const std::string part = path.substr(0, end);
    if (mkdir(part.c_str(), kDirectoryMode) == 0) {
      if (chmod(part.c_str(), kDirectoryMode) != 0) return system_failure("open up " + part, errno);
    } else if (errno != EEXIST) {
      return system_failure("make " + part, errno);
    }
    if (end == std::string::npos) return trust(path);
  }
}

std::string read_pid(int fd) {
  char text[32] = {};
  const ssize_t length = pread(fd, text, sizeof text - 1, 0);
  if (length <= 0) return "unknown";
  const std::string all(text, static_cast<size_t>(length));
  return all.substr(0, all.find('\n'));
}

}  // namespace

Result<InstanceHome> InstanceHome::open(const std::string& id,
                                        const std::optional<std::string>& asked_for) {
  if (asked_for) {
    char* whole = realpath(asked_for->c_str(), nullptr);
    const std::string path = whole != nullptr ? whole : *asked_for;
    std::free(whole);
    if (auto made = make_directories(path); !made)
      return context("use the runtime directory", made.error());
    return InstanceHome(path);
  }
  const char* xdg = std::getenv("XDG_RUNTIME_DIR");
  std::string reasons;
  for (const std::string& path : runtime_dir_candidates(id, xdg != nullptr ? xdg : "")) {
    const auto made = make_directories(path);
    if (made) return InstanceHome(path);
    reasons += (reasons.empty() ? "" : "; ") + made.error().message;
  }
  return failure("make a runtime directory", reasons + "; name another with --runtime-dir");
}

Result<UniqueFd> InstanceHome::lock(pid_t keeper) const {
  const std::string path = file(kLockFile);
  UniqueFd fd(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0644));
  if (!fd) return system_failure("open " + path, errno);
  if (flock(fd.get(), LOCK_EX | LOCK_NB) != 0) {
    if (errno != EWOULDBLOCK) return system_failure("lock " + path, errno);
    return failure("start", "fosterd runs this instance already, with pid " + read_pid(fd.get()));
  }
  const std::string content = std::to_string(keeper) + "\n";
  if (ftruncate(fd.get(), 0) != 0 ||
      pwrite(fd.get(), content.data(), content.size(), 0) != static_cast<ssize_t>(content.size()))
    return system_failure("write " + path, errno);
  return fd;
}

Result<UniqueFd> InstanceHome::listen() const {
  const std::string path = file(bus_api::kControlSocket);
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.size() >= sizeof address.sun_path)
    return failure("listen on " + path, "the path is longer than a socket's address can be");
  path.copy(address.sun_path, path.size());
  if (unlink(path.c_str()) != 0 && errno != ENOENT) return system_failure("replace " + path, errno);
  UniqueFd fd(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!fd) return system_failure("make the control socket", errno);
  if (bind(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0)
    return system_failure("bind " + path, errno);
  if (chmod(path.c_str(), 0666) != 0) return system_failure("open up " + path, errno);
  if (::listen(fd.get(), kBacklog) != 0) return system_failure("listen on " + path, errno);
  return fd;
}

void InstanceHome::remove() const {
  // Whatever cannot be removed is in use by somebody else or gone already; neither matters at the
  // end.
  unlink(file(bus_api::kControlSocket).c_str());
  unlink(file(kLockFile).c_str());
  remove_output_tails(path_);
  rmdir(path_.c_str());
  const size_t parent = path_.rfind('/');
  if (path_.substr(0, parent).find("foster") != std::string::npos)
    rmdir(path_.substr(0, parent).c_str());
}

}  // namespace foster::manager
