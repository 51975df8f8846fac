#include "common/unit_source/regular_file.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

#include "common/ipc/unique_fd.hpp"

namespace foster {

Result<std::string> read_regular_file(const std::string& path, size_t most) {
  const std::string what = "read " + path;
  struct stat status {};
  if (stat(path.c_str(), &status) != 0) return system_failure(what, errno);
  if (!S_ISREG(status.st_mode)) return failure(what, "it is not a regular file");
  const UniqueFd file(open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY));
  if (!file || fstat(file.get(), &status) != 0) return system_failure(what, errno);
  if (!S_ISREG(status.st_mode)) return failure(what, "it is not a regular file");
  std::string text;
  char chunk[4096];
  for (;;) {
    const ssize_t got = read(file.get(), chunk, sizeof chunk);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return system_failure(what, errno);
    if (got == 0) return text;
    text.append(chunk, static_cast<size_t>(got));
    if (text.size() > most)
      return failure(what, "it is longer than " + std::to_string(most) + " bytes");
  }
}

}  // namespace foster
