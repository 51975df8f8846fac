#include "common/unit/size_text.hpp"

#include <array>
#include <charconv>

#include "common/unit/diagnostic.hpp"

namespace foster {
namespace {

struct Unit {
  std::string_view name;
  double bytes;
};

constexpr double kKibi = 1024;
constexpr double kKilo = 1000;
constexpr std::array kUnits{
    Unit{"B", 1},
    Unit{"KiB", kKibi},
    Unit{"MiB", kKibi* kKibi},
    Unit{"GiB", kKibi* kKibi* kKibi},
    Unit{"TiB", kKibi* kKibi* kKibi* kKibi},
    Unit{"kB", kKilo},
    Unit{"MB", kKilo* kKilo},
    Unit{"GB", kKilo* kKilo* kKilo},
    Unit{"TB", kKilo* kKilo* kKilo* kKilo},
};

constexpr double kSizeMax = kKibi * kKibi * kKibi * kKibi * kKibi * kKibi;

std::unexpected<Error> wrong(std::string message) {
  return std::unexpected(Error{std::move(message), 0});
}

std::string_view trimmed(std::string_view text) {
  const size_t first = text.find_first_not_of(' ');
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(' ') - first + 1);
}

/// "MiB" for what was probably meant by "M", "mb", "MIB".
std::string_view likely_unit(std::string_view name) {
  switch (name.empty() ? 'b' : name.front() | 0x20) {
    case 'k':
      return "KiB";
    case 'm':
      return "MiB";
    case 'g':
      return "GiB";
    case 't':
      return "TiB";
    default:
      return "B";
  }
}

}  // namespace

Result<uint64_t> parse_size(std::string_view text) {
  text = trimmed(text);
  double number = 0;
  const auto [end, error] =
      std::from_chars(text.data(), text.data() + text.size(), number, std::chars_format::fixed);
  if (error == std::errc::result_out_of_range) return wrong("larger than 1 EiB");
  const bool digit_first = !text.empty() && text[0] >= '0' && text[0] <= '9';
  if (error != std::errc() || !digit_first) return wrong("expected " + std::string(kSizeExpected));
  const std::string_view digits = text.substr(0, static_cast<size_t>(end - text.data()));
  const std::string_view name = trimmed(text.substr(digits.size()));
  for (const Unit& unit : kUnits) {
    if (unit.name != name) continue;
    if (number * unit.bytes > kSizeMax) return wrong("larger than 1 EiB");
    return static_cast<uint64_t>(number * unit.bytes);
  }
  if (name.empty())
    return wrong("a number needs its unit: \"" + std::string(digits) + "MiB\", \"" +
                 std::string(digits) + "B\", ...");
  return wrong(quoted_text(name) + " is no unit of memory; write " +
               std::string(likely_unit(name)));
}

}  // namespace foster
