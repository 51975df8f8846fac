// What the readers of keys share: the words and the places of their complaints.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "common/unit/unit_keys.hpp"

namespace foster {

/// The key's name in backticks.
[[nodiscard]] std::string key_text(const Setting& setting);

void report(const Setting& setting, const ConfigValue& value, std::string message);

/// "`delay` must be a duration ..., not an integer", and an example of what to write if there is
/// one.
void report_type(const Setting& setting, const std::string& example = {});

/// "`success-exit-codes` must hold only whole numbers, not a string": an item of an array.
void report_item_type(const Setting& setting, const ConfigValue& item, std::string_view wanted);

/// The text of a whole number, for an example that puts it into quotes.
[[nodiscard]] std::string number_text(const ConfigValue& value);

/// A number as it was written: with its point, without needless zeros.
[[nodiscard]] std::string shown_number(double number);

/// For someone who wrote a string where an array belongs: the same as an array; empty when that
/// cannot be told.
[[nodiscard]] std::string as_array(const ConfigValue& value);

[[nodiscard]] bool control_character(char c);

/// Where a part of a string stands; the whole string where specifiers have changed it.
[[nodiscard]] Place place_within(const Setting& setting, const ConfigValue& value, size_t offset,
                                 size_t length);

/// Reports characters that cannot stand in a string that becomes part of a system call or of one
/// line.
[[nodiscard]] bool free_of(const Setting& setting, const ConfigValue& value,
                           std::string_view characters, std::string_view what);
[[nodiscard]] bool free_of_nul(const Setting& setting, const ConfigValue& value);

/// The value if it is a string; what is none is reported.
[[nodiscard]] const std::string* text_value(const Setting& setting);

/// The items if the value is an array of strings; what is none is reported.
[[nodiscard]] const std::vector<ConfigValue>* text_items(const Setting& setting,
                                                         const std::string& example);

}  // namespace foster
