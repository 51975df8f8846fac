#include "common/unit/setting_report.hpp"

#include <algorithm>

#include "common/unit/diagnostic.hpp"

namespace foster {

std::string key_text(const Setting& setting) {
  return "`" + std::string(setting.key.name) + "`";
}

void report(const Setting& setting, const ConfigValue& value, std::string message) {
  setting.findings.report(value.place, std::move(message));
}

void report_type(const Setting& setting, const std::string& example) {
  const ConfigValue& value = setting.entry.value;
  std::string message = key_text(setting) + " must be " + std::string(setting.key.type) + ", not " +
                        std::string(kind_text(value.kind));
  if (!example.empty()) message += "; write " + std::string(setting.key.name) + " = " + example;
  report(setting, value, std::move(message));
}

void report_item_type(const Setting& setting, const ConfigValue& item, std::string_view wanted) {
  report(setting, item,
         key_text(setting) + " must hold only " + std::string(wanted) + ", not " +
             std::string(kind_text(item.kind)));
}

std::string number_text(const ConfigValue& value) {
  return std::to_string(value.integer);
}

bool control_character(char c) {
  return static_cast<uint8_t>(c) < 0x20 || c == 0x7f;
}

Place place_within(const Setting& setting, const ConfigValue& value, size_t offset, size_t length) {
  if (value.expanded) return value.place;
  return place_in_string(setting.findings.text(value.place), value.place, offset, length);
}

bool free_of(const Setting& setting, const ConfigValue& value, std::string_view characters,
             std::string_view what) {
  const size_t at = value.text.find_first_of(characters);
  if (at == std::string::npos) return true;
  setting.findings.report(place_within(setting, value, at, 1),
                          key_text(setting) + " cannot hold " + std::string(what));
  return false;
}

bool free_of_nul(const Setting& setting, const ConfigValue& value) {
  return free_of(setting, value, std::string_view("\0", 1), "a NUL character");
}

const std::string* text_value(const Setting& setting) {
  const ConfigValue& value = setting.entry.value;
  if (value.kind == ValueKind::text) return &value.text;
  report_type(setting,
              value.kind == ValueKind::integer ? "\"" + number_text(value) + "\"" : std::string());
  return nullptr;
}

const std::vector<ConfigValue>* text_items(const Setting& setting, const std::string& example) {
  const ConfigValue& value = setting.entry.value;
  if (value.kind != ValueKind::array) {
    report_type(setting, example);
    return nullptr;
  }
  bool all_texts = true;
  for (const ConfigValue& item : value.items) {
    if (item.kind == ValueKind::text) continue;
    report_item_type(setting, item, "strings");
    all_texts = false;
  }
  return all_texts ? &value.items : nullptr;
}

std::string as_array(const ConfigValue& value) {
  if (value.kind != ValueKind::text ||
      value.text.find_first_of("\"'\\\n$`;|&<>*") != std::string::npos)
    return {};
  std::string array = "[";
  for (size_t at = 0; at < value.text.size();) {
    const size_t start = value.text.find_first_not_of(" \t", at);
    if (start == std::string::npos) break;
    at = std::min(value.text.find_first_of(" \t", start), value.text.size());
    if (array.size() > 1) array += ", ";
    array += "\"" + value.text.substr(start, at - start) + "\"";
  }
  constexpr size_t kLongestExample = 80;
  return array.size() == 1 || array.size() > kLongestExample ? std::string() : array + "]";
}

std::string shown_number(double number) {
  std::string text = std::to_string(number);
  if (!text.contains('.')) return text;
  text.erase(text.find_last_not_of('0') + 1);
  if (text.ends_with('.')) text.pop_back();
  return text;
}

}  // namespace foster
