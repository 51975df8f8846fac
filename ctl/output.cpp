#include "ctl/output.hpp"

#include <cerrno>
#include <poll.h>
#include <unistd.h>

namespace foster::ctl {
namespace {

constexpr size_t kBufferBytes = 64 * 1024;

}  // namespace

void Output::write(std::string_view text) {
  if (closed_) return;
  buffer_ += text;
  if (buffer_.size() >= kBufferBytes) flush();
}

void Output::line(std::string_view text) {
  write(text);
  write("\n");
}

bool Output::flush() {
  std::string_view rest = buffer_;
  while (!closed_ && !rest.empty()) {
    const ssize_t written = ::write(descriptor_, rest.data(), rest.size());
    if (written >= 0) {
      rest.remove_prefix(static_cast<size_t>(written));
    } else if (errno == EAGAIN) {
      // Someone we share the terminal with made it non-blocking.
      pollfd writable{descriptor_, POLLOUT, 0};
      poll(&writable, 1, -1);
    } else if (errno != EINTR) {
      closed_ = true;
      error_ = errno == EPIPE ? 0 : errno;
    }
  }
  buffer_.clear();
  return !closed_;
}

}  // namespace foster::ctl
