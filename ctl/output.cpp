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
  if (buffer_.size() + text.size() < kBufferBytes) {
    buffer_ += text;
    return;
  }
  flush();
  write_out(text);
}

void Output::line(std::string_view text) {
  write(text);
  write("\n");
}

bool Output::flush() {
  write_out(buffer_);
  buffer_.clear();
  return !closed_;
}

void Output::write_out(std::string_view rest) {
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
}

}  // namespace foster::ctl
