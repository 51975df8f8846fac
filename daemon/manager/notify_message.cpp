#include "daemon/manager/notify_message.hpp"

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <limits>
#include <optional>

namespace foster::manager {
namespace {

constexpr size_t kWarningsMax = 3;
constexpr size_t kQuotedMax = 40;
constexpr int32_t kErrnoMax = 4095;  // of the kernel, MAX_ERRNO
/// Ten years, which is as good as for ever: the time that comes of larger ones could not be
/// counted.
constexpr uint64_t kUsecMax = uint64_t{10} * 365 * 24 * 3600 * 1'000'000;
constexpr std::string_view kReplacement = "\xEF\xBF\xBD";

/// Bytes of the UTF-8 character that `text` begins with; 0 when it begins with none. Overlong
/// forms, surrogates and what lies beyond U+10FFFF are none (RFC 3629, section 4).
size_t character_length(std::string_view text) {
  const auto byte = [&](size_t at) { return static_cast<unsigned char>(text[at]); };
  const unsigned char first = byte(0);
  if (first < 0x80) return 1;
  const size_t length = first >= 0xF0 ? 4 : first >= 0xE0 ? 3 : 2;
  if (first < 0xC2 || first > 0xF4 || text.size() < length) return 0;
  for (size_t at = 1; at < length; ++at)
    if ((byte(at) & 0xC0) != 0x80) return 0;
  const unsigned char second = byte(1);
  if (first == 0xE0 && second < 0xA0) return 0;
  if (first == 0xED && second > 0x9F) return 0;
  if (first == 0xF0 && second < 0x90) return 0;
  if (first == 0xF4 && second > 0x8F) return 0;
  return length;
}

template <class Number>
std::optional<Number> number(std::string_view text) {
  Number value{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return value;
}

/// UINT64_MAX is how the protocol writes "none", which is 0 here.
std::optional<Duration> microseconds(std::string_view text) {
  const auto usec = number<uint64_t>(text);
  if (!usec) return std::nullopt;
  if (*usec == std::numeric_limits<uint64_t>::max()) return Duration::zero();
  return std::chrono::microseconds(static_cast<int64_t>(std::min(*usec, kUsecMax)));
}

class Reader {
 public:
  NotifyMessage read(std::string_view text) {
    // A sender in C may count the string's end in.
    while (text.ends_with('\0') || text.ends_with('\n'))
      text.remove_suffix(1);
    message_.barrier = text == "BARRIER=1";
    while (!message_.barrier && !text.empty()) {
      const size_t end = text.find('\n');
      take_line(text.substr(0, end));
      text = end == std::string_view::npos ? std::string_view() : text.substr(end + 1);
    }
    return std::move(message_);
  }

 private:
  void take_line(std::string_view line) {
    if (line.empty()) return;
    const size_t equals = line.find('=');
    if (equals == std::string_view::npos || equals == 0) return warn(line, "is no KEY=VALUE");
    const std::string_view key = line.substr(0, equals);
    const std::string_view value = line.substr(equals + 1);
    if (take_flag(key, value, line) || take_value(key, value, line)) return;
    if (key == "BARRIER") warn(line, "must be BARRIER=1, and alone in its message");
  }

  /// Whether the key is one of those that only say "now".
  bool take_flag(std::string_view key, std::string_view value, std::string_view line) {
    core::Notified& said = message_.said;
    bool* flag = nullptr;
    if (key == "READY") flag = &said.ready;
    if (key == "RELOADING") flag = &said.reloading;
    if (key == "STOPPING") flag = &said.stopping;
    if (key == "FDSTORE") flag = &message_.wish.store;
    if (key == "FDSTOREREMOVE") flag = &message_.wish.remove;
    if (key == "WATCHDOG") flag = value == "trigger" ? &said.watchdog_trigger : &said.watchdog;
    if (flag == nullptr) return false;
    if (value != "1" && flag != &said.watchdog_trigger) {
      warn(line, key == "WATCHDOG" ? "must be 1 or trigger" : "must be 1");
      return true;
    }
    *flag = true;
    const bool to_store = flag == &message_.wish.store || flag == &message_.wish.remove;
    message_.news = message_.news || !to_store;
    return true;
  }

  bool take_value(std::string_view key, std::string_view value, std::string_view line) {
    core::Notified& said = message_.said;
    if (key == "STATUS") {
      said.status_text = one_line(value, kNotifyStatusMax);
      message_.news = true;
    } else if (key == "MAINPID") {
      set(said.main_pid, in_range(number<int32_t>(value), 2, INT32_MAX), line, "is no process");
    } else if (key == "ERRNO") {
      set(said.service_errno, in_range(number<int32_t>(value), 0, kErrnoMax), line, "is no errno");
    } else if (key == "WATCHDOG_USEC") {
      set(said.watchdog_interval, microseconds(value), line, "is no count of microseconds");
    } else if (key == "EXTEND_TIMEOUT_USEC") {
      set(said.extend_timeout, microseconds(value), line, "is no count of microseconds");
    } else if (key == "FDNAME") {
      message_.wish.name = value;
    } else if (key == "FDPOLL") {
      if (value != "0" && value != "1") warn(line, "must be 0 or 1");
      message_.wish.poll = value != "0";
    } else if (key == "MONOTONIC_USEC") {
      // Comes with RELOADING=1, whose order on this socket says as much.
      if (!number<uint64_t>(value)) warn(line, "is no count of microseconds");
    } else {
      return false;
    }
    return true;
  }

  static std::optional<int32_t> in_range(std::optional<int32_t> value, int32_t least,
                                         int32_t most) {
    return value && *value >= least && *value <= most ? value : std::nullopt;
  }

  template <class Value>
  void set(std::optional<Value>& into, std::optional<Value> value, std::string_view line,
           const char* otherwise) {
    if (!value) return warn(line, otherwise);
    into = value;
    message_.news = true;
  }

  void warn(std::string_view line, const char* why) {
    if (message_.warnings.size() == kWarningsMax) return;
    message_.warnings.push_back("'" + one_line(line, kQuotedMax) + "' " + why);
  }

  NotifyMessage message_;
};

}  // namespace

NotifyMessage parse_notify_message(std::string_view text) {
  return Reader().read(text);
}

std::string one_line(std::string_view text, size_t bytes_max) {
  std::string line;
  line.reserve(std::min(text.size(), bytes_max));
  while (!text.empty()) {
    const size_t length = character_length(text);
    const unsigned char first = static_cast<unsigned char>(text.front());
    const bool control = first < ' ' || first == 0x7f;
    std::string_view character = length == 0 ? kReplacement : text.substr(0, length);
    if (control) character = " ";
    if (line.size() + character.size() > bytes_max) break;
    line += character;
    text.remove_prefix(std::max<size_t>(length, 1));
  }
  return line;
}

}  // namespace foster::manager
