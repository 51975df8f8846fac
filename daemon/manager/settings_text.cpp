#include <nlohmann/json.hpp>

#include "daemon/manager/settings.hpp"

namespace foster::manager {
namespace {

using nlohmann::json;

constexpr int kVersion = 1;
constexpr int kIndent = 2;
constexpr char kVersionKey[] = "version";
constexpr char kUnits[] = "units";
constexpr char kEnabled[] = "enabled";
constexpr char kMasked[] = "masked";
constexpr char kInstances[] = "instances";
constexpr char kLastRuns[] = "last-runs-us";

std::unexpected<Error> wrong(std::string_view why) {
  return failure("read the kept settings", why);
}

const json* member(const json& object, const char* name) {
  const auto found = object.find(name);
  return found != object.end() ? &*found : nullptr;
}

Result<UnitSetting> unit_setting(const json& from) {
  UnitSetting setting;
  if (!from.is_object()) return wrong("a unit's settings are no object");
  if (const json* enabled = member(from, kEnabled)) {
    if (!enabled->is_boolean()) return wrong("\"enabled\" is neither true nor false");
    setting.enabled = enabled->get<bool>();
  }
  if (const json* masked = member(from, kMasked)) {
    if (!masked->is_boolean()) return wrong("\"masked\" is neither true nor false");
    setting.masked = masked->get<bool>();
  }
  return setting;
}

/// An object of numbers that are not negative.
template <class Number>
Result<void> numbers(const json& whole, const char* name,
                     std::map<std::string, Number, std::less<>>& into) {
  const json* object = member(whole, name);
  if (object == nullptr) return {};
  if (!object->is_object()) return wrong(std::string("\"") + name + "\" is no object");
  for (const auto& [key, value] : object->items()) {
    if (!value.is_number_unsigned())
      return wrong(std::string("\"") + name + "\" has something else than numbers");
    into[key] = value.template get<Number>();
  }
  return {};
}

}  // namespace

UnitSetting Settings::of(std::string_view unit) const {
  const auto found = units.find(unit);
  return found != units.end() ? found->second : UnitSetting{};
}

std::string settings_text(const Settings& settings) {
  json whole;
  whole[kVersionKey] = kVersion;
  for (const auto& [name, setting] : settings.units) {
    if (setting == UnitSetting{}) continue;
    json& unit = whole[kUnits][name];
    if (setting.enabled) unit[kEnabled] = *setting.enabled;
    if (setting.masked) unit[kMasked] = true;
  }
  if (!settings.instances.empty()) whole[kInstances] = settings.instances;
  if (!settings.last_runs_us.empty()) whole[kLastRuns] = settings.last_runs_us;
  return whole.dump(kIndent) + "\n";
}

Result<Settings> parse_settings(std::string_view text) {
  const json whole = json::parse(text, nullptr, false);
  if (!whole.is_object()) return wrong("they are no JSON object");
  const json* version = member(whole, kVersionKey);
  if (version == nullptr || *version != kVersion) return wrong("they are of another version");
  Settings settings;
  if (const json* units = member(whole, kUnits)) {
    if (!units->is_object()) return wrong("\"units\" is no object");
    for (const auto& [name, value] : units->items()) {
      const auto setting = unit_setting(value);
      if (!setting) return std::unexpected(setting.error());
      settings.units[name] = *setting;
    }
  }
  if (auto read = numbers(whole, kInstances, settings.instances); !read)
    return std::unexpected(read.error());
  if (auto read = numbers(whole, kLastRuns, settings.last_runs_us); !read)
    return std::unexpected(read.error());
  return settings;
}

}  // namespace foster::manager
