#include "common/unit/specifiers.hpp"

#include <algorithm>
#include <optional>

#include "common/unit/unit_name.hpp"

namespace foster {
namespace {

constexpr std::string_view kKnown = "known are %i %I %j %n %N %p and %%";

std::string with_slashes(std::string_view instance) {
  std::string path(instance);
  std::ranges::replace(path, '-', '/');
  return path;
}

/// What the letter stands for in a unit of that name; nothing for a letter that is not known, or
/// not for this unit.
std::optional<std::string> meaning(char letter, std::string_view unit_name) {
  const std::string_view prefix = prefix_of(unit_name);
  const std::string_view instance = instance_of(unit_name);
  switch (letter) {
    case 'n':
    case 'N':
      return std::string(unit_name);
    case 'p':
      return std::string(prefix);
    case 'j':
      return std::string(prefix.substr(prefix.rfind('-') + 1));
    case 'i':
      return instance.empty() ? std::nullopt : std::optional(std::string(instance));
    case 'I':
      return instance.empty() ? std::nullopt : std::optional(with_slashes(instance));
    case '%':
      return "%";
    default:
      return std::nullopt;
  }
}

class Expander {
 public:
  Expander(std::string_view unit_name, Findings& findings)
      : unit_name_(unit_name), findings_(findings) {}

  void value(ConfigValue& value) {
    if (value.kind == ValueKind::text && value.text.contains('%')) text(value);
    for (ConfigValue& item : value.items)
      this->value(item);
    for (ConfigEntry& entry : value.entries)
      this->value(entry.value);
  }

 private:
  void text(ConfigValue& value) {
    std::string expanded;
    const std::string_view text = value.text;
    size_t at = 0;
    for (size_t next = text.find('%'); next != std::string_view::npos; next = text.find('%', at)) {
      expanded += text.substr(at, next - at);
      at = std::min(next + 2, text.size());
      const std::optional<std::string> put =
          meaning(at == next + 2 ? text[next + 1] : '\0', unit_name_);
      if (put) {
        expanded += *put;
      } else {
        refuse(value, next);
        expanded += text.substr(next, at - next);
      }
    }
    expanded += text.substr(at);
    value.text = std::move(expanded);
    value.expanded = true;
  }

  void refuse(const ConfigValue& value, size_t offset) {
    const std::string_view rest = std::string_view(value.text).substr(offset + 1);
    const size_t length = std::max<size_t>(1, utf8_length(rest));
    const std::string written = "%" + std::string(rest.substr(0, length));
    const Place place =
        place_in_string(findings_.text(value.place), value.place, offset, written.size());
    const bool known = written == "%i" || written == "%I";
    findings_.report(
        place, known ? backticked_text(written) + " stands for the name of an instance, and " +
                           quoted_text(unit_name_) + " is none"
                     : backticked_text(written) + " is no specifier: " + std::string(kKnown) +
                           "; write `%%` for a percent sign");
  }

  std::string_view unit_name_;
  Findings& findings_;
};

}  // namespace

void expand_specifiers(ConfigValue& document, std::string_view unit_name, Findings& findings) {
  Expander expander(unit_name, findings);
  for (ConfigEntry& entry : document.entries) {
    if (entry.name != "instances") expander.value(entry.value);
  }
}

}  // namespace foster
