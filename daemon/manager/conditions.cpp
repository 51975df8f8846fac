#include "daemon/manager/conditions.hpp"

#include <pwd.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <cstring>
#include <optional>
#include <string_view>
#include <vector>

#include "daemon/manager/virtualization.hpp"

namespace foster::manager {
namespace {

/// Whether the condition holds, before '!' is counted, and what to say of it either way.
struct Finding {
  bool holds = false;
  std::string reason;
};

Finding path_exists(const std::string& path) {
  const bool there = access(path.c_str(), F_OK) == 0;
  return {there, "path " + path + (there ? " exists" : " does not exist")};
}

Finding path_executable(const std::string& path) {
  struct stat found {};
  const bool executable = stat(path.c_str(), &found) == 0 && S_ISREG(found.st_mode) &&
                          (found.st_mode & (S_IXUSR | S_IXGRP | S_IXOTH)) != 0;
  return {executable, path + (executable ? " is executable" : " is no executable file")};
}

Finding file_not_empty(const std::string& path) {
  struct stat found {};
  if (stat(path.c_str(), &found) != 0) return {false, "file " + path + " does not exist"};
  if (!S_ISREG(found.st_mode)) return {false, path + " is no regular file"};
  const bool filled = found.st_size > 0;
  return {filled, "file " + path + (filled ? " is not empty" : " is empty")};
}

std::optional<std::string> value_of(std::string_view name, const char* const* environment) {
  for (const char* const* at = environment; *at != nullptr; ++at) {
    const std::string_view entry(*at);
    if (entry.size() > name.size() && entry.starts_with(name) && entry[name.size()] == '=')
      return std::string(entry.substr(name.size() + 1));
  }
  return std::nullopt;
}

Finding environment_set(const std::string& wanted, const char* const* environment) {
  const size_t equals = wanted.find('=');
  const std::string name = wanted.substr(0, equals);
  const auto value = value_of(name, environment);
  const std::string variable = "environment variable " + name;
  if (!value) return {false, variable + " is not set"};
  if (equals == std::string::npos) return {true, variable + " is set"};
  const std::string expected = wanted.substr(equals + 1);
  if (*value == expected) return {true, variable + " is \"" + expected + "\""};
  return {false, variable + " is not \"" + expected + "\""};
}

Finding virtualization_is(const std::string& wanted) {
  const Virtualization& found = virtualization();
  return {matches(found, wanted), "the system is " + describe(found)};
}

std::string name_of_user(uid_t uid) {
  passwd entry{};
  passwd* found = nullptr;
  std::vector<char> room(16 * 1024);
  getpwuid_r(uid, &entry, room.data(), room.size(), &found);
  return found != nullptr ? found->pw_name : std::to_string(uid);
}

Finding user_is(const std::string& wanted) {
  const uid_t own = geteuid();
  const std::string name = name_of_user(own);
  const bool same = wanted == name || wanted == std::to_string(own);
  return {same, "foster runs as user " + name};
}

Finding look_at(const ConditionSpec& condition, const char* const* environment) {
  switch (condition.kind) {
    case ConditionKind::path_exists:
      return path_exists(condition.value);
    case ConditionKind::path_executable:
      return path_executable(condition.value);
    case ConditionKind::file_not_empty:
      return file_not_empty(condition.value);
    case ConditionKind::environment:
      return environment_set(condition.value, environment);
    case ConditionKind::virtualization:
      return virtualization_is(condition.value);
    case ConditionKind::user:
      return user_is(condition.value);
    case ConditionKind::command:
      break;
  }
  return {!condition.negated, {}};
}

}  // namespace

core::ConditionsChecked check_conditions(const core::CheckConditions& asked, const UnitSpec& unit,
                                         const char* const* environment) {
  core::ConditionsChecked answer{.unit = asked.unit, .token = asked.token};
  for (const ConditionSpec& condition : unit.conditions) {
    const Finding found = look_at(condition, environment);
    if (found.holds != condition.negated) continue;
    answer.met = false;
    answer.reason = found.reason;
    if (condition.kind == ConditionKind::virtualization || condition.kind == ConditionKind::user)
      answer.reason += std::string(", and ") + (condition.negated ? "not " : "") + condition.value +
                       " is asked for";
    break;
  }
  return answer;
}

}  // namespace foster::manager
