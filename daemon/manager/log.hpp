// foster's own log: one line an event on stderr, a sentence and fields, by spdlog. Lines are
// gathered during a turn of the loop and written at its end. A stderr that nobody reads never holds
// the manager up: what it does not take is dropped and counted.
#pragma once

#include <concepts>
#include <initializer_list>
#include <span>
#include <string>
#include <string_view>

namespace foster::manager {

enum class Level { debug, info, warning, error };

struct Field {
  Field(std::string_view field_key, std::string_view text) : key(field_key), value(text) {}
  Field(std::string_view field_key, const char* text) : key(field_key), value(text) {}
  Field(std::string_view field_key, const std::string& text) : key(field_key), value(text) {}
  template <std::integral Number>
  Field(std::string_view field_key, Number number)
      : key(field_key), value(std::to_string(number)) {}

  std::string_view key;
  std::string value;
};

/// "<UTC time> <level> manager: <message> key=value key=\"two words\"". Warnings and errors are
/// written at once.
void log(Level level, std::string_view message, std::initializer_list<Field> fields = {});
void log(Level level, std::string_view message, std::span<const Field> fields);

/// Writes what has been gathered.
void flush_log();

/// The message and its fields as they stand behind the level; for tests.
[[nodiscard]] std::string log_text(std::string_view message, std::span<const Field> fields);

}  // namespace foster::manager
