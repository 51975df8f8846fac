#include "daemon/manager/log.hpp"

#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <memory>

#include <spdlog/details/null_mutex.h>
#include <spdlog/logger.h>
#include <spdlog/pattern_formatter.h>
#include <spdlog/sinks/base_sink.h>

namespace foster::manager {
namespace {

/// A pipe that poll(2) calls writable takes this much without blocking (PIPE_BUF, pipe(7)).
constexpr size_t kChunk = 4096;
constexpr size_t kGatherMax = 16 * 1024;

class GatheringStderr final : public spdlog::sinks::base_sink<spdlog::details::null_mutex> {
 protected:
  void sink_it_(const spdlog::details::log_msg& message) override {
    spdlog::memory_buf_t line;
    formatter_->format(message, line);
    gathered_.append(line.data(), line.size());
    if (gathered_.size() > kGatherMax) flush_();
  }

  void flush_() override {
    size_t written = 0;
    while (written < gathered_.size()) {
      if (!writable()) break;
      const size_t chunk = chunk_from(written);
      const ssize_t taken = write(STDERR_FILENO, gathered_.data() + written, chunk);
      if (taken < 0 && errno == EINTR) continue;
      if (taken <= 0) break;
      written += static_cast<size_t>(taken);
    }
    drop_from(written);
  }

 private:
  static bool writable() {
    pollfd stderr_state{STDERR_FILENO, POLLOUT, 0};
    return poll(&stderr_state, 1, 0) == 1 && (stderr_state.revents & POLLOUT) != 0;
  }

  /// Whole lines where possible, so that lines of others do not cut ours.
  size_t chunk_from(size_t start) const {
    const size_t most = std::min(kChunk, gathered_.size() - start);
    const size_t end_of_line = gathered_.rfind('\n', start + most - 1);
    const bool found = end_of_line != std::string::npos && end_of_line >= start;
    return found ? end_of_line - start + 1 : most;
  }

  void drop_from(size_t written) {
    const auto rest = gathered_.begin() + static_cast<std::ptrdiff_t>(written);
    const size_t lost = static_cast<size_t>(std::count(rest, gathered_.end(), '\n'));
    std::string().swap(gathered_);  // its room too: the lines of a large start come once
    if (lost == 0 && dropped_ > 0 && writable()) {
      const std::string notice = "foster: " + std::to_string(dropped_) +
                                 " lines of the log were dropped: stderr was full\n";
      if (write(STDERR_FILENO, notice.data(), notice.size()) > 0) dropped_ = 0;
    }
    dropped_ += lost;
  }

  std::string gathered_;
  size_t dropped_ = 0;
};

spdlog::logger& logger() {
  static spdlog::logger instance = [] {
    spdlog::logger made("manager", std::make_shared<GatheringStderr>());
    made.set_formatter(std::make_unique<spdlog::pattern_formatter>(
        "%Y-%m-%dT%H:%M:%S.%eZ %l %n: %v", spdlog::pattern_time_type::utc));
    made.flush_on(spdlog::level::warn);
    return made;
  }();
  return instance;
}

spdlog::level::level_enum spdlog_level(Level level) {
  switch (level) {
    case Level::debug:
      return spdlog::level::debug;
    case Level::info:
      return spdlog::level::info;
    case Level::warning:
      return spdlog::level::warn;
    case Level::error:
      return spdlog::level::err;
  }
  return spdlog::level::err;
}

bool plain(char c) {
  return c > ' ' && c != '"' && c != '\\' && c != '=' && c != 0x7f;
}

void append_value(std::string& text, std::string_view value) {
  if (!value.empty() && std::ranges::all_of(value, plain)) {
    text += value;
    return;
  }
  text += '"';
  for (const char c : value) {
    if (c == '"' || c == '\\') text += '\\';
    const bool control = static_cast<unsigned char>(c) < ' ' || c == 0x7f;
    text += control ? ' ' : c;
  }
  text += '"';
}

}  // namespace

std::string log_text(std::string_view message, std::span<const Field> fields) {
  std::string text(message);
  for (const Field& field : fields) {
    text += ' ';
    text += field.key;
    text += '=';
    append_value(text, field.value);
  }
  return text;
}

void log(Level level, std::string_view message, std::initializer_list<Field> fields) {
  log(level, message, std::span<const Field>(fields));
}

void log(Level level, std::string_view message, std::span<const Field> fields) {
  logger().log(spdlog_level(level), log_text(message, fields));
}

void flush_log() {
  logger().flush();
}

}  // namespace foster::manager
