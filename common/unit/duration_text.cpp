#include "common/unit/duration_text.hpp"

#include <array>
#include <cstdint>

namespace foster {
namespace {

struct TimeUnit {
  std::string_view name;
  int64_t ns;
};

// The largest first: that is the order in which a duration is shown.
constexpr std::array<TimeUnit, 7> kUnits{{
    {"d", 86'400'000'000'000},
    {"h", 3'600'000'000'000},
    {"min", 60'000'000'000},
    {"s", 1'000'000'000},
    {"ms", 1'000'000},
    {"us", 1'000},
    {"ns", 1},
}};

bool digit(char c) {
  return c >= '0' && c <= '9';
}
bool space(char c) {
  return c == ' ' || c == '\t';
}
bool separator(char c) {
  return digit(c) || space(c);
}

std::unexpected<Error> wrong(std::string message) {
  return std::unexpected(Error{std::move(message), 0});
}

std::string expected_after(std::string_view what) {
  return std::string(what) + "; expected " + std::string(kDurationExpected);
}

/// Takes what stands in front of `text` as long as `belongs` says so.
template <class Belongs>
std::string_view take(std::string_view& text, Belongs belongs) {
  size_t length = 0;
  while (length < text.size() && belongs(text[length]))
    ++length;
  const std::string_view taken = text.substr(0, length);
  text.remove_prefix(length);
  return taken;
}

const TimeUnit* find_unit(std::string_view name) {
  for (const TimeUnit& unit : kUnits) {
    if (unit.name == name) return &unit;
  }
  return nullptr;
}

std::string unknown_unit(std::string_view name) {
  if (name == "m" || name == "M") return "\"m\" may mean minutes or milliseconds; write min or ms";
  if (name == "sec" || name == "secs" || name == "second" || name == "seconds")
    return "\"" + std::string(name) + "\" is no unit of time; write s";
  return "\"" + std::string(name) + "\" is no unit of time; ns, us, ms, s, min, h and d are";
}

struct Amount {
  std::string_view whole;
  std::string_view fraction;
};

/// The amount in nanoseconds, or nothing when it is longer than the longest duration.
Result<int64_t> nanoseconds(const Amount& amount, const TimeUnit& unit) {
  const int64_t limit = kDurationMax.count();
  const auto too_long = [] { return wrong("longer than the longest duration, 3650d"); };
  int64_t total = 0;
  for (const char c : amount.whole) {
    total = total * 10 + (c - '0');
    if (total > limit / unit.ns) return too_long();
  }
  total *= unit.ns;
  int64_t scale = unit.ns;
  for (const char c : amount.fraction) {
    if (scale % 10 != 0 && c != '0') {
      const std::string text = std::string(amount.whole) + "." + std::string(amount.fraction);
      return wrong("\"" + text + std::string(unit.name) + "\" is finer than a nanosecond");
    }
    scale /= 10;
    total += (c - '0') * scale;
  }
  if (total > limit) return too_long();
  return total;
}

/// Takes one number with its unit.
Result<int64_t> take_part(std::string_view& text) {
  const std::string_view start = text;
  Amount amount{take(text, digit), {}};
  if (!text.empty() && text[0] == '.') {
    text.remove_prefix(1);
    amount.fraction = take(text, digit);
    if (amount.fraction.empty()) return wrong(expected_after("a digit is missing after the point"));
  }
  if (amount.whole.empty()) {
    if (start[0] == '-') return wrong("a duration cannot be negative");
    return wrong("expected " + std::string(kDurationExpected));
  }
  const std::string_view number = start.substr(0, start.size() - text.size());
  take(text, space);
  const std::string_view name = take(text, [](char c) { return !separator(c); });
  if (name.empty()) {
    const std::string shown(number);
    return wrong("a number needs its unit: \"" + shown + "s\", \"" + shown + "ms\", ...");
  }
  const TimeUnit* unit = find_unit(name);
  if (unit == nullptr) return wrong(unknown_unit(name));
  return nanoseconds(amount, *unit);
}

}  // namespace

Result<Duration> parse_duration(std::string_view text) {
  take(text, space);
  if (text.empty()) return wrong("empty; expected " + std::string(kDurationExpected));
  int64_t total = 0;
  while (!text.empty()) {
    const Result<int64_t> part = take_part(text);
    if (!part) return std::unexpected(part.error());
    total += *part;
    if (total > kDurationMax.count()) return wrong("longer than the longest duration, 3650d");
    take(text, space);
  }
  return Duration(total);
}

std::string format_duration(Duration duration) {
  if (duration.count() < 0) return "-" + format_duration(-duration);
  if (duration.count() == 0) return "0s";
  std::string text;
  int64_t rest = duration.count();
  for (const TimeUnit& unit : kUnits) {
    if (rest < unit.ns) continue;
    if (!text.empty()) text += ' ';
    text += std::to_string(rest / unit.ns);
    text += unit.name;
    rest %= unit.ns;
  }
  return text;
}

}  // namespace foster
