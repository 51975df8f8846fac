#include "ctl/time_text.hpp"

#include <algorithm>
#include <ctime>

#include <fmt/format.h>

namespace foster::ctl {
namespace {

constexpr int64_t kSecond = 1'000'000'000;
constexpr size_t kDateLength = 10;  // "2026-05-01"

}  // namespace

std::string span_text(Duration span) {
  const int64_t seconds = std::max<int64_t>(span.count(), 0) / kSecond;
  const int64_t minutes = seconds / 60;
  const int64_t hours = minutes / 60;
  if (seconds < 60) return fmt::format("{}s", seconds);
  if (minutes < 60) return fmt::format("{}min", minutes);
  if (hours < 24) return fmt::format("{}h {}min", hours, minutes % 60);
  return fmt::format("{}d {}h", hours / 24, hours % 24);
}

std::string age_text(Duration age) {
  return age.count() < kSecond ? "just now" : span_text(age) + " ago";
}

std::string deadline_text(Duration left) {
  if (left.count() <= 0) return "now";
  const double seconds = static_cast<double>(left.count()) / static_cast<double>(kSecond);
  return left.count() < 10 * kSecond ? fmt::format("in {:.1f}s", seconds) : "in " + span_text(left);
}

std::string date_text(int64_t real_ns) {
  const auto seconds = static_cast<time_t>(real_ns / kSecond);
  tm local{};
  if (localtime_r(&seconds, &local) == nullptr) return "?";
  return fmt::format("{:04}-{:02}-{:02} {:02}:{:02}:{:02}", local.tm_year + 1900, local.tm_mon + 1,
                     local.tm_mday, local.tm_hour, local.tm_min, local.tm_sec);
}

std::string moment_text(int64_t real_ns, const Clock& clock) {
  std::string date = date_text(real_ns);
  const bool today = date.compare(0, kDateLength, date_text(clock.real_ns), 0, kDateLength) == 0;
  return today && date.size() > kDateLength ? date.substr(kDateLength + 1) : date;
}

int64_t real_time_of(int64_t boot_ns, const Clock& clock) {
  return clock.real_ns - (clock.boot.ns - boot_ns);
}

std::string kib_text(uint64_t kib) {
  const auto amount = static_cast<double>(kib);
  if (kib < 1024) return fmt::format("{} KiB", kib);
  if (kib < 1024 * 1024) return fmt::format("{:.1f} MiB", amount / 1024);
  return fmt::format("{:.1f} GiB", amount / 1024 / 1024);
}

}  // namespace foster::ctl
