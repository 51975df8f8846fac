#include "common/ipc/close_others.hpp"

#include <climits>
#include <unistd.h>

namespace foster {
namespace {

constexpr int kFirst = 3;

void close_between(int first, int last) {
  if (first > last) return;
  if (close_range(static_cast<unsigned>(first), static_cast<unsigned>(last), 0) == 0) return;
  const long most = sysconf(_SC_OPEN_MAX);
  for (int fd = first; fd <= last && fd < most; ++fd)
    close(fd);
}

}  // namespace

void close_others(std::span<const int> kept) {
  int first = kFirst;
  for (;;) {
    int next = INT_MAX;
    for (const int fd : kept)
      if (fd >= first && fd < next) next = fd;
    if (next == INT_MAX) return close_between(first, INT_MAX);
    close_between(first, next - 1);
    first = next + 1;
  }
}

}  // namespace foster
