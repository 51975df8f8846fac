// What a configuration text says, as plain values with their places: between the TOML library,
// which only unit_parser.cpp knows, and everything that judges a unit.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "common/unit/source_text.hpp"

namespace foster {

enum class ValueKind : uint8_t { text, integer, decimal, boolean, moment, array, table };

struct ConfigEntry;

struct ConfigValue {
  ValueKind kind = ValueKind::table;
  Place place;
  bool boolean = false;
  bool octal = false;           // an integer that was written as 0o...
  bool repeated_table = false;  // an array that was written as [[name]]
  bool expanded = false;        // a string that specifiers have changed since it was read
  int64_t integer = 0;
  double decimal = 0;  // of an integer as well
  std::string text;
  std::vector<ConfigValue> items;    // of an array
  std::vector<ConfigEntry> entries;  // of a table
};

struct ConfigEntry {
  std::string name;
  Place place;
  ConfigValue value;
};

/// "a string", "an integer", ...: what people are told was found.
[[nodiscard]] std::string_view kind_text(ValueKind kind);

/// Where a part of a string stands in the file: `offset` and `length` count bytes of the string as
/// it was understood, `value` is its place in `text`. Sees through escapes and multi-line strings.
[[nodiscard]] Place place_in_string(std::string_view text, Place value, size_t offset,
                                    size_t length);

}  // namespace foster
