#include "common/calendar/zone.hpp"

#include <sys/stat.h>

#include <cstdlib>
#include <ctime>

#include "common/calendar/fields.hpp"

namespace foster::calendar {
namespace {

constexpr char kVariable[] = "TZ";
constexpr char kDatabase[] = "/usr/share/zoneinfo";
constexpr char kUtc[] = "UTC";
constexpr int64_t kDayUs = int64_t{86'400} * kSecond;

tm local_time(int64_t real_us) {
  const time_t seconds = real_us / kSecond - (real_us % kSecond < 0 ? 1 : 0);
  tm local{};
  localtime_r(&seconds, &local);
  return local;
}

/// So that a name can neither leave the database nor say anything else to the C library.
bool plausible(std::string_view name) {
  if (name.empty() || name.front() == '/' || name.find("..") != std::string_view::npos)
    return false;
  for (const char c : name) {
    const bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
    const bool other = (c >= '0' && c <= '9') || c == '/' || c == '_' || c == '-' || c == '+';
    if (!letter && !other) return false;
  }
  return true;
}

}  // namespace

bool known_zone(std::string_view name) {
  if (name == kUtc) return true;
  if (!plausible(name)) return false;
  const char* database = std::getenv("TZDIR");
  const std::string path =
      std::string(database != nullptr ? database : kDatabase) + "/" + std::string(name);
  struct stat found {};
  return stat(path.c_str(), &found) == 0 && S_ISREG(found.st_mode);
}

Zone::Zone(const std::string& name) : utc_(name == kUtc), named_(!utc_ && !name.empty()) {
  if (utc_) return;
  if (named_) {
    if (const char* former = std::getenv(kVariable)) former_ = former;
    setenv(kVariable, (":" + name).c_str(), 1);
  }
  tzset();
}

Zone::~Zone() {
  if (!named_) return;
  if (former_)
    setenv(kVariable, former_->c_str(), 1);
  else
    unsetenv(kVariable);
  tzset();
}

int64_t Zone::offset_us(int64_t real_us) const {
  return utc_ ? 0 : local_time(real_us).tm_gmtoff * int64_t{kSecond};
}

std::string Zone::abbreviation(int64_t real_us) const {
  if (utc_) return kUtc;
  const tm local = local_time(real_us);
  return local.tm_zone != nullptr ? local.tm_zone : "";
}

std::optional<Zone::Change> Zone::change_near(int64_t real_us) const {
  if (utc_) return std::nullopt;
  int64_t before = (real_us - kDayUs) / kSecond;
  int64_t after = (real_us + kDayUs) / kSecond;
  const int64_t first = offset_us(before * kSecond);
  const int64_t last = offset_us(after * kSecond);
  if (first == last) return std::nullopt;
  while (after - before > 1) {
    const int64_t middle = before + (after - before) / 2;
    (offset_us(middle * kSecond) == first ? before : after) = middle;
  }
  return Change{after * kSecond, first, last};
}

}  // namespace foster::calendar
