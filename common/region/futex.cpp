#include "common/region/futex.hpp"

#include <climits>
#include <linux/futex.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace foster::region {

void futex_wait(const uint32_t& word, uint32_t seen, std::optional<Duration> limit) {
  timespec timeout{};
  if (limit) {
    if (limit->count() <= 0) return;
    timeout = {.tv_sec = limit->count() / 1'000'000'000, .tv_nsec = limit->count() % 1'000'000'000};
  }
  // EAGAIN, EINTR and ETIMEDOUT all mean the same to the caller: look again.
  syscall(SYS_futex, &word, FUTEX_WAIT, seen, limit ? &timeout : nullptr, nullptr, 0);
}

void futex_wake_all(const uint32_t& word) {
  syscall(SYS_futex, &word, FUTEX_WAKE, INT_MAX, nullptr, nullptr, 0);
}

}  // namespace foster::region
