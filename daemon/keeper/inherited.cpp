#include "daemon/keeper/inherited.hpp"

#include <climits>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <fcntl.h>
#include <unistd.h>

#include "daemon/keeper/environment.hpp"
#include "daemon/keeper/log.hpp"

namespace foster::keeper {
namespace {

constexpr int kFirstDescriptor = 3;
constexpr int kNameMax = 255;
constexpr char kUnnamed[] = "unknown";  // as sd_listen_fds_with_names(3) has it

/// Variables are inherited further than descriptors: they count for the process they name.
int listen_fds(const Keeper& keeper) {
  const char* pid = environment_value(keeper.envp, "LISTEN_PID");
  const char* count = environment_value(keeper.envp, "LISTEN_FDS");
  if (pid == nullptr || count == nullptr || std::strtol(pid, nullptr, 10) != keeper.pid) return 0;
  const long given = std::strtol(count, nullptr, 10);
  return given > 0 && given <= protocol::kStoredDescriptorsMax ? static_cast<int>(given) : 0;
}

/// The next of the names between colons, or the one for what has none.
void take_name(const char*& names, char (&name)[kNameMax + 1]) {
  const size_t length = names == nullptr ? 0 : std::strcspn(names, ":");
  if (length == 0 || length > kNameMax) {
    std::memcpy(name, kUnnamed, sizeof kUnnamed);
  } else {
    std::memcpy(name, names, length);
    name[length] = '\0';
  }
  if (names != nullptr) names = names[length] == ':' ? names + length + 1 : nullptr;
}

/// What the keeper inherited beyond these is nobody's any more, and would be held open for ever.
void close_from(int first) {
  if (close_range(static_cast<unsigned>(first), UINT_MAX, 0) == 0) return;
  const auto most = static_cast<int>(sysconf(_SC_OPEN_MAX));
  for (int fd = first; fd < most; ++fd)
    close(fd);
}

long long real_ns() {
  timespec at{};
  clock_gettime(CLOCK_REALTIME, &at);
  return static_cast<long long>(at.tv_sec) * kSecond + at.tv_nsec;
}

}  // namespace

void take_inherited(Keeper& keeper) {
  const int count = listen_fds(keeper);
  close_from(kFirstDescriptor + count);
  const char* names = environment_value(keeper.envp, "LISTEN_FDNAMES");
  const long long now = real_ns();
  for (int i = 0; i < count; ++i) {
    char name[kNameMax + 1];
    take_name(names, name);
    const int fd = kFirstDescriptor + i;
    if (fcntl(fd, F_SETFD, FD_CLOEXEC) != 0) continue;
    protocol::StoredDescriptor stored{};
    snprintf(stored.name, sizeof stored.name, "%s%d:%lld:%s", protocol::kInheritedPrefix, i, now,
             name);
    const int error = keeper.store.put(stored, UniqueFd(fd));
    if (error != 0)
      log(Level::error, "cannot keep an inherited descriptor: %s number=%d", strerrordesc_np(error),
          fd);
  }
}

}  // namespace foster::keeper
