#include "common/unit/ip_text.hpp"

#include <charconv>
#include <vector>

namespace foster {
namespace {

constexpr size_t kGroups = 8;

/// All of the text as a number; nothing where it is none, has more digits, or is more than `most`.
std::optional<uint32_t> whole_number(std::string_view text, int base, size_t digits,
                                     uint32_t most) {
  if (text.empty() || text.size() > digits) return std::nullopt;
  uint32_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number, base);
  if (error != std::errc() || end != text.data() + text.size() || number > most)
    return std::nullopt;
  return number;
}

std::vector<std::string_view> parts_of(std::string_view text, char separator) {
  std::vector<std::string_view> parts;
  if (text.empty()) return parts;
  for (size_t at = 0; at <= text.size();) {
    const size_t end = std::min(text.find(separator, at), text.size());
    parts.push_back(text.substr(at, end - at));
    at = end + 1;
  }
  return parts;
}

/// The groups of one side of "::"; an address with dots stands for the last two.
std::optional<std::vector<uint16_t>> groups_of(std::string_view text) {
  std::vector<uint16_t> groups;
  const std::vector<std::string_view> parts = parts_of(text, ':');
  for (const std::string_view part : parts) {
    if (part.data() == parts.back().data() && part.contains('.')) {
      const std::optional<Ipv4Bytes> tail = parse_ipv4(part);
      if (!tail) return std::nullopt;
      groups.push_back(static_cast<uint16_t>((*tail)[0] << 8 | (*tail)[1]));
      groups.push_back(static_cast<uint16_t>((*tail)[2] << 8 | (*tail)[3]));
      continue;
    }
    const std::optional<uint32_t> group = whole_number(part, 16, 4, 0xffff);
    if (!group) return std::nullopt;
    groups.push_back(static_cast<uint16_t>(*group));
  }
  return groups;
}

/// Where the longest run of at least two zero groups begins, and how long it is.
std::pair<size_t, size_t> longest_zeros(const std::array<uint16_t, kGroups>& groups) {
  size_t best = 0;
  size_t best_length = 0;
  for (size_t begin = 0; begin < kGroups; ++begin) {
    size_t end = begin;
    while (end < kGroups && groups[end] == 0)
      ++end;
    if (end - begin > best_length && end - begin >= 2) {
      best = begin;
      best_length = end - begin;
    }
  }
  return {best, best_length};
}

}  // namespace

std::optional<Ipv4Bytes> parse_ipv4(std::string_view text) {
  Ipv4Bytes address{};
  const std::vector<std::string_view> parts = parts_of(text, '.');
  if (parts.size() != address.size()) return std::nullopt;
  for (size_t i = 0; i < parts.size(); ++i) {
    if (parts[i].size() > 1 && parts[i][0] == '0') return std::nullopt;
    const std::optional<uint32_t> number = whole_number(parts[i], 10, 3, 255);
    if (!number) return std::nullopt;
    address[i] = static_cast<uint8_t>(*number);
  }
  return address;
}

std::optional<Ipv6Bytes> parse_ipv6(std::string_view text) {
  const size_t gap = text.find("::");
  const bool shortened = gap != std::string_view::npos;
  const auto front = groups_of(text.substr(0, shortened ? gap : text.size()));
  const auto back = groups_of(shortened ? text.substr(gap + 2) : std::string_view());
  if (!front || !back) return std::nullopt;
  // An address with dots can only stand at the end.
  if (shortened && text.substr(0, gap).contains('.')) return std::nullopt;
  const size_t given = front->size() + back->size();
  if (shortened ? given >= kGroups : given != kGroups) return std::nullopt;
  Ipv6Bytes address{};
  const auto put = [&](size_t at, uint16_t group) {
    address[2 * at] = static_cast<uint8_t>(group >> 8);
    address[2 * at + 1] = static_cast<uint8_t>(group & 0xff);
  };
  for (size_t i = 0; i < front->size(); ++i)
    put(i, (*front)[i]);
  for (size_t i = 0; i < back->size(); ++i)
    put(kGroups - back->size() + i, (*back)[i]);
  return address;
}

std::string ipv6_text(const Ipv6Bytes& address) {
  std::array<uint16_t, kGroups> groups{};
  for (size_t i = 0; i < kGroups; ++i)
    groups[i] = static_cast<uint16_t>(address[2 * i] << 8 | address[2 * i + 1]);
  const auto [gap, length] = longest_zeros(groups);
  std::string text;
  for (size_t i = 0; i < kGroups; ++i) {
    if (length > 0 && i == gap) {
      text += "::";
      i += length - 1;
      continue;
    }
    if (!text.empty() && !text.ends_with(':')) text += ':';
    char digits[4];
    const auto [end, error] = std::to_chars(digits, digits + sizeof digits, groups[i], 16);
    text.append(digits, end);
  }
  return text;
}

}  // namespace foster
