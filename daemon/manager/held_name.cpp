#include "daemon/manager/held_name.hpp"

#include <algorithm>
#include <charconv>

#include "common/check.hpp"
#include "daemon/protocol/keeper_protocol.hpp"

namespace foster::manager {
namespace {

// "fd:<origin><poll><given><file>:<serial>:<since>:<unit>/<name>:<from>", and as the keeper itself
// names what was inherited "listen:<serial>:<since>:<name>". A unit's name may have colons in it,
// but no slash.
constexpr std::string_view kPrefix = "fd:";
constexpr std::string_view kInheritedPrefix = protocol::kInheritedPrefix;
constexpr char kOrigins[] = {'s', 'p', 'k'};  // by Origin, without those inherited
constexpr size_t kKindSize = 4;

/// Takes what stands before the next such character; nothing where there is none.
std::optional<std::string_view> next_part(std::string_view& rest, char end = ':') {
  const size_t at = rest.find(end);
  if (at == std::string_view::npos) return std::nullopt;
  const std::string_view part = rest.substr(0, at);
  rest.remove_prefix(at + 1);
  return part;
}

template <class Number>
bool take_number(std::string_view& rest, Number& into) {
  const auto part = next_part(rest);
  if (!part) return false;
  const auto [end, error] = std::from_chars(part->data(), part->data() + part->size(), into);
  return error == std::errc{} && end == part->data() + part->size();
}

bool take_kind(std::string_view& rest, HeldName& into) {
  const auto part = next_part(rest);
  if (!part || part->size() != kKindSize) return false;
  const auto* found = std::ranges::find(kOrigins, part->front());
  if (found == std::end(kOrigins)) return false;
  into.origin = static_cast<Origin>(found - kOrigins);
  into.poll = (*part)[1] == 'p';
  into.given = (*part)[2] == 'g';
  into.file_was_there = (*part)[3] == 'f';
  return true;
}

std::optional<HeldName> parse_inherited(std::string_view rest) {
  HeldName held{.origin = Origin::inherited};
  if (!take_number(rest, held.serial) || !take_number(rest, held.since_real_ns))
    return std::nullopt;
  held.name = rest;
  return held;
}

}  // namespace

const char* origin_text(Origin origin) {
  switch (origin) {
    case Origin::socket:
      return "socket";
    case Origin::passed:
      return "passed";
    case Origin::stored:
      return "stored";
    case Origin::inherited:
      return "inherited";
  }
  return "";
}

std::string held_name_text(const HeldName& name) {
  const std::string numbers =
      std::to_string(name.serial) + ":" + std::to_string(name.since_real_ns) + ":";
  if (name.origin == Origin::inherited) return std::string(kInheritedPrefix) + numbers + name.name;
  std::string text(kPrefix);
  text += kOrigins[static_cast<size_t>(name.origin)];
  text += name.poll ? 'p' : '-';
  text += name.given ? 'g' : '-';
  text += name.file_was_there ? "f:" : "-:";
  text += numbers + name.unit + "/" + name.name + ":";
  FOSTER_CHECK(text.size() <= protocol::kStoredNameMax);
  text += name.from.substr(0, protocol::kStoredNameMax - text.size());
  return text;
}

std::optional<HeldName> parse_held_name(std::string_view text) {
  if (text.starts_with(kInheritedPrefix)) {
    text.remove_prefix(kInheritedPrefix.size());
    return parse_inherited(text);
  }
  if (!text.starts_with(kPrefix)) return std::nullopt;
  text.remove_prefix(kPrefix.size());
  HeldName held;
  if (!take_kind(text, held) || !take_number(text, held.serial) ||
      !take_number(text, held.since_real_ns))
    return std::nullopt;
  const auto unit = next_part(text, '/');
  const auto name = unit ? next_part(text) : std::nullopt;
  if (!name) return std::nullopt;
  held.unit = *unit;
  held.name = *name;
  held.from = text;
  return held;
}

}  // namespace foster::manager
