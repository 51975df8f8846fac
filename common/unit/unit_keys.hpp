// The one table of what can stand in a unit file. The parser, its "did you mean", the manual page
// and whatever else lists keys are made from it: a key that is added here is known everywhere.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "common/unit/config_value.hpp"
#include "common/unit/findings.hpp"
#include "common/unit/unit_spec.hpp"

namespace foster {

enum class Section : uint8_t {
  top,
  service,
  socket,
  depends,
  ready,
  health,
  hooks,
  restart,
  stop,
  timer,
  conditions,
};

struct SectionSpec {
  Section section;
  std::string_view name;  // empty for `top`: keys before the first section
  std::string_view doc;
};

/// Whether a unit may have several of it, each written as [[name]].
[[nodiscard]] bool repeats(Section section);

struct KeySpec;

/// A key as it was met in a file.
struct Setting {
  const KeySpec& key;
  const ConfigEntry& entry;
  UnitSpec& spec;
  Findings& findings;
  std::vector<std::string>& instances;  // of a template: those that its file asks for

  /// The one that a key of [[socket]] is about.
  [[nodiscard]] SocketSpec& socket() const { return spec.descriptors.make().sockets.back(); }
};

struct KeySpec {
  Section section;
  std::string_view name;
  std::string_view type;          // completes "must be ..."
  std::string_view default_text;  // as people read it: TOML, or words
  std::string_view doc;           // one sentence or two
  std::string_view other_names;   // what other supervisors call it, by spaces
  void (*set)(const Setting&);    // stores the value, or reports why it cannot be
};

[[nodiscard]] std::span<const SectionSpec> unit_sections();
[[nodiscard]] std::span<const KeySpec> unit_keys();

/// Null when there is none of that name.
[[nodiscard]] const SectionSpec* find_section(std::string_view name);
[[nodiscard]] const KeySpec* find_key(Section section, std::string_view name);

/// "[restart]", "[[socket]]"; for `top` "the top of the file".
[[nodiscard]] std::string_view section_text(Section section);

}  // namespace foster
