// Names of units, and what else is one string or several.

#include <algorithm>
#include <set>

#include "common/calendar/calendar.hpp"
#include "common/unit/environment_name.hpp"
#include "common/unit/key_readers.hpp"
#include "common/unit/setting_report.hpp"
#include "common/unit/unit_name.hpp"

namespace foster {
namespace {

constexpr int64_t kInstancesMax = 10'000;

/// The unit that a string names, if it can be a unit's name at all; if not, that is reported.
std::optional<Reference> reference(const Setting& setting, const ConfigValue& item) {
  std::string_view name = item.text;
  const bool optional = name.starts_with('-');
  name.remove_prefix(optional ? 1 : 0);
  if (std::string mistake = unit_name_mistake(name); !mistake.empty()) {
    report(setting, item, std::move(mistake));
    return std::nullopt;
  }
  return Reference{std::string(name), optional, item.place};
}

/// What is wrong with the value of a condition; empty when nothing is.
std::string condition_mistake(ConditionKind kind, std::string_view value) {
  const auto word = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-';
  };
  switch (kind) {
    case ConditionKind::path_exists:
    case ConditionKind::path_executable:
    case ConditionKind::file_not_empty:
      if (value.starts_with('/')) return {};
      return "must hold absolute paths: " + quoted_text(value) + " does not begin with '/'";
    case ConditionKind::environment:
      return environment_name_mistake(value.substr(0, value.find('=')));
    case ConditionKind::virtualization:
      if (!value.empty() && std::ranges::all_of(value, word)) return {};
      return "must hold words such as \"container\", \"vm\", \"none\" or \"docker\", not " +
             quoted_text(value);
    case ConditionKind::user:
      if (!value.empty() && value.find_first_of(" :/,") == std::string_view::npos) return {};
      return "must hold names or numbers of users, not " + quoted_text(value);
    case ConditionKind::command:
      break;
  }
  return {};
}

/// The strings of a value that is one or an array of them; none, and a report, when it is not.
std::span<const ConfigValue> one_or_more_texts(const Setting& setting) {
  const ConfigValue& value = setting.entry.value;
  if (value.kind == ValueKind::text) return std::span(&value, 1);
  const std::vector<ConfigValue>* items = text_items(setting, {});
  return items == nullptr ? std::span<const ConfigValue>() : std::span(*items);
}

std::string instance_mistake(std::string_view instance) {
  if (instance.empty()) return "an instance's name cannot be empty";
  if (instance.contains('@')) return "an instance's name cannot have an @";
  // Its characters are those of a unit's name; what may come first in that may come here.
  const std::string mistake = unit_name_mistake("x@" + std::string(instance));
  return mistake.empty() ? std::string()
                         : quoted_text(instance) +
                               " cannot be an instance's name: letters, digits and the characters "
                               "_ . : - make one, at most " +
                               std::to_string(kUnitNameMax) + " bytes with the template's name";
}

}  // namespace

void read_references(const Setting& setting, std::vector<Reference>& target) {
  const std::vector<ConfigValue>* items = text_items(setting, as_array(setting.entry.value));
  if (items == nullptr) return;
  target.reserve(items->size());
  for (const ConfigValue& item : *items) {
    if (std::optional<Reference> named = reference(setting, item))
      target.push_back(std::move(*named));
  }
}

std::optional<Reference> read_reference(const Setting& setting) {
  return text_value(setting) == nullptr ? std::nullopt : reference(setting, setting.entry.value);
}

void read_instances(const Setting& setting, std::vector<std::string>& target) {
  const ConfigValue& value = setting.entry.value;
  if (value.kind == ValueKind::integer) {
    if (value.integer < 0 || value.integer > kInstancesMax)
      return report(setting, value,
                    "there can be up to " + std::to_string(kInstancesMax) + " instances, not " +
                        number_text(value));
    for (int64_t i = 1; i <= value.integer; ++i)
      target.push_back(std::to_string(i));
    return;
  }
  if (value.kind != ValueKind::array) return report_type(setting);
  const std::vector<ConfigValue>* items = text_items(setting, {});
  if (items == nullptr) return;
  std::set<std::string_view> seen;
  for (const ConfigValue& item : *items) {
    if (std::string mistake = instance_mistake(item.text); !mistake.empty()) {
      report(setting, item, std::move(mistake));
    } else if (!seen.insert(item.text).second) {
      report(setting, item, "the instance " + quoted_text(item.text) + " is named twice");
    } else {
      target.push_back(item.text);
    }
  }
}

void read_conditions(const Setting& setting, ConditionKind kind) {
  for (const ConfigValue& item : one_or_more_texts(setting)) {
    if (!free_of_nul(setting, item)) continue;
    const bool negated = item.text.starts_with('!');
    std::string value = item.text.substr(negated ? 1 : 0);
    const std::string mistake = condition_mistake(kind, value);
    if (!mistake.empty()) {
      const bool sentence = kind == ConditionKind::environment;
      report(setting, item, sentence ? mistake : key_text(setting) + " " + mistake);
    } else {
      setting.spec.conditions.push_back({kind, negated, std::move(value), {}});
    }
  }
}

void read_calendars(const Setting& setting, std::vector<std::string>& target) {
  for (const ConfigValue& item : one_or_more_texts(setting)) {
    Result<Calendar> calendar = parse_calendar(item.text);
    if (!calendar) {
      report(setting, item, std::move(calendar.error().message));
    } else if (!next_elapse(*calendar, 0)) {
      report(setting, item, quoted_text(item.text) + " never comes");
    } else {
      target.push_back(item.text);
    }
  }
}

}  // namespace foster
