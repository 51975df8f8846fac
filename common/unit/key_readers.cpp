#include "common/unit/key_readers.hpp"

#include <algorithm>
#include <cmath>
#include <csignal>

#include "common/nearest_word.hpp"
#include "common/signal_name.hpp"
#include "common/unit/duration_text.hpp"
#include "common/unit/environment_name.hpp"
#include "common/unit/setting_report.hpp"

namespace foster {
namespace {

std::optional<uint32_t> octal_number(std::string_view text) {
  if (text.empty() || text.size() > 8) return std::nullopt;
  uint32_t number = 0;
  for (const char c : text) {
    if (c < '0' || c > '7') return std::nullopt;
    number = number * 8 + static_cast<uint32_t>(c - '0');
  }
  return number;
}

}  // namespace

void read_boolean(const Setting& setting, bool& target) {
  const ConfigValue& value = setting.entry.value;
  if (value.kind == ValueKind::boolean) {
    target = value.boolean;
    return;
  }
  const bool yes = value.kind == ValueKind::text
                       ? value.text == "true" || value.text == "yes" || value.text == "on"
                       : value.integer == 1;
  const bool no = value.kind == ValueKind::text
                      ? value.text == "false" || value.text == "no" || value.text == "off"
                      : value.kind == ValueKind::integer && value.integer == 0;
  report_type(setting, yes ? "true" : no ? "false" : "");
}

std::optional<size_t> read_word(const Setting& setting, std::span<const std::string_view> words) {
  const std::string* text = text_value(setting);
  if (text == nullptr) return std::nullopt;
  const auto found = std::ranges::find(words, *text);
  if (found != words.end()) return static_cast<size_t>(found - words.begin());
  std::string message = key_text(setting) + " must be " + std::string(setting.key.type) + ", not " +
                        quoted_text(*text);
  const std::string_view meant = nearest_word(*text, words);
  if (!meant.empty()) message += "; did you mean \"" + std::string(meant) + "\"?";
  report(setting, setting.entry.value, std::move(message));
  return std::nullopt;
}

void read_one_line(const Setting& setting, std::string& target) {
  const std::string* text = text_value(setting);
  if (text == nullptr) return;
  const auto bad = std::ranges::find_if(*text, control_character);
  if (bad != text->end()) {
    const auto at = static_cast<size_t>(bad - text->begin());
    setting.findings.report(
        place_within(setting, setting.entry.value, at, 1),
        key_text(setting) + " must be a single line without control characters");
    return;
  }
  target = *text;
}

void read_account(const Setting& setting, std::optional<std::string>& target) {
  const std::string* text = text_value(setting);
  if (text == nullptr) return;
  if (text->empty()) {
    report(setting, setting.entry.value,
           key_text(setting) + " cannot be empty; leave it out for " +
               std::string(setting.key.default_text));
    return;
  }
  const auto unfit = [](char c) {
    return control_character(c) || std::string_view(" :/,").contains(c);
  };
  if (std::ranges::any_of(*text, unfit) || text->front() == '-') {
    report(setting, setting.entry.value,
           quoted_text(*text) + " cannot be a " + std::string(setting.key.name) + "'s name");
    return;
  }
  target = *text;
}

void read_directory(const Setting& setting, std::optional<std::string>& target) {
  const std::string* text = text_value(setting);
  if (text == nullptr || !free_of_nul(setting, setting.entry.value)) return;
  if (!text->starts_with('/')) {
    report(setting, setting.entry.value,
           key_text(setting) + " must be an absolute path: " + quoted_text(*text) +
               " does not begin with '/'");
    return;
  }
  target = *text;
}

void read_permissions(const Setting& setting, std::optional<uint32_t>& target) {
  constexpr uint32_t kMost = 0777;
  const ConfigValue& value = setting.entry.value;
  if (value.kind != ValueKind::text && value.kind != ValueKind::integer)
    return report_type(setting);
  std::optional<uint32_t> mask;
  if (value.kind == ValueKind::text) {
    mask = octal_number(value.text);
  } else if (value.octal || value.integer == 0) {
    if (value.integer >= 0 && value.integer <= kMost) mask = static_cast<uint32_t>(value.integer);
  } else if (octal_number(number_text(value)).value_or(kMost + 1) <= kMost) {
    return report(setting, value,
                  key_text(setting) + " must be octal: write " + std::string(setting.key.name) +
                      " = \"0" + number_text(value) + "\" or 0o" + number_text(value));
  }
  if (!mask || *mask > kMost)
    return report(setting, value, key_text(setting) + " must be " + std::string(setting.key.type));
  target = mask;
}

void read_signal(const Setting& setting, int& target) {
  const ConfigValue& value = setting.entry.value;
  if (value.kind == ValueKind::integer) {
    const std::optional<int> number = signal_number(number_text(value));
    return report_type(setting, number ? "\"" + signal_name(*number) + "\"" : std::string());
  }
  if (value.kind != ValueKind::text) return report_type(setting);
  const std::optional<int> number = signal_number(value.text);
  if (!number) {
    const std::string meant = nearest_signal_name(value.text);
    return report(setting, value,
                  quoted_text(value.text) + " is no signal" +
                      (meant.empty() ? std::string(": expected a name such as \"SIGTERM\"")
                                     : "; did you mean \"" + meant + "\"?"));
  }
  if (*number == SIGSTOP || *number == SIGTSTP || *number == SIGTTIN || *number == SIGTTOU)
    return report(setting, value, signal_name(*number) + " stops a process but does not end it");
  target = *number;
}

void read_number(const Setting& setting, double least, double most, double& target) {
  const ConfigValue& value = setting.entry.value;
  if (value.kind != ValueKind::integer && value.kind != ValueKind::decimal)
    return report_type(setting);
  if (!(value.decimal >= least && value.decimal <= most))
    return report(setting, value,
                  key_text(setting) + " must be " + std::string(setting.key.type) + ", not " +
                      shown_number(value.decimal));
  target = value.decimal;
}

void read_count(const Setting& setting, uint32_t least, uint32_t most, uint32_t& target) {
  const ConfigValue& value = setting.entry.value;
  if (value.kind != ValueKind::integer) return report_type(setting);
  if (value.integer < least || value.integer > most)
    return report(setting, value,
                  key_text(setting) + " must be " + std::string(setting.key.type) + ", not " +
                      number_text(value));
  target = static_cast<uint32_t>(value.integer);
}

void read_duration(const Setting& setting, Duration least, Duration& target) {
  const ConfigValue& value = setting.entry.value;
  if (value.kind == ValueKind::integer || value.kind == ValueKind::decimal) {
    const std::string number =
        value.kind == ValueKind::integer ? number_text(value) : shown_number(value.decimal);
    return report_type(setting, value.decimal < 0 ? std::string() : "\"" + number + "s\"");
  }
  if (value.kind != ValueKind::text) return report_type(setting);
  const Result<Duration> duration = parse_duration(value.text);
  if (!duration)
    return report(setting, value,
                  key_text(setting) + " is no duration: " + duration.error().message);
  if (*duration < least)
    return report(setting, value, key_text(setting) + " must be longer than 0s");
  target = *duration;
}

void read_environment(const Setting& setting,
                      std::vector<std::pair<std::string, std::string>>& target) {
  const ConfigValue& value = setting.entry.value;
  if (value.kind != ValueKind::table) return report_type(setting);
  target.reserve(value.entries.size());
  for (const ConfigEntry& entry : value.entries) {
    if (std::string wrong = environment_name_mistake(entry.name); !wrong.empty())
      setting.findings.report(entry.place, std::move(wrong));
    if (entry.value.kind != ValueKind::text) {
      std::string message = "the variable " + backticked_text(entry.name) +
                            " must be a string, not " + std::string(kind_text(entry.value.kind));
      if (entry.value.kind == ValueKind::integer)
        message +=
            "; write " + shortened_text(entry.name) + " = \"" + number_text(entry.value) + "\"";
      if (entry.value.kind == ValueKind::table)
        message += "; put quotes round a name that has a dot";
      report(setting, entry.value, std::move(message));
      continue;
    }
    if (free_of_nul(setting, entry.value)) target.emplace_back(entry.name, entry.value.text);
  }
}

void read_environment_files(const Setting& setting, std::vector<EnvironmentFile>& target) {
  const std::vector<ConfigValue>* items = text_items(setting, as_array(setting.entry.value));
  if (items == nullptr) return;
  target.reserve(items->size());
  for (const ConfigValue& item : *items) {
    const bool optional = item.text.starts_with('-');
    std::string path = item.text.substr(optional ? 1 : 0);
    if (!path.starts_with('/')) {
      report(setting, item,
             key_text(setting) + " must hold absolute paths: " + quoted_text(path) +
                 " does not begin with '/'");
    } else if (free_of_nul(setting, item)) {
      target.push_back({std::move(path), optional});
    }
  }
}

void read_patterns(const Setting& setting, std::vector<std::string>& target) {
  const std::vector<ConfigValue>* items = text_items(setting, as_array(setting.entry.value));
  if (items == nullptr) return;
  target.reserve(items->size());
  for (const ConfigValue& item : *items) {
    if (item.text.empty()) {
      report(setting, item, key_text(setting) + " holds an empty string, which matches no name");
    } else if (item.text.contains('=')) {
      report(setting, item,
             key_text(setting) +
                 " holds names only; a variable with its value goes into `environment`");
    } else if (free_of_nul(setting, item)) {
      target.push_back(item.text);
    }
  }
}

void read_exit_codes(const Setting& setting, std::vector<int>& target) {
  constexpr int64_t kMost = 255;
  const ConfigValue& value = setting.entry.value;
  if (value.kind != ValueKind::array)
    return report_type(
        setting, value.kind == ValueKind::integer ? "[" + number_text(value) + "]" : std::string());
  for (const ConfigValue& item : value.items) {
    if (item.kind != ValueKind::integer) {
      report_item_type(setting, item, "whole numbers");
    } else if (item.integer < 0 || item.integer > kMost) {
      report(setting, item, "an exit code is a number from 0 to 255, not " + number_text(item));
    } else {
      target.push_back(static_cast<int>(item.integer));
    }
  }
  std::ranges::sort(target);
  const auto again = std::ranges::unique(target);
  target.erase(again.begin(), again.end());
}

}  // namespace foster
