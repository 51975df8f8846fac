#include "daemon/manager/environment.hpp"

#include <fnmatch.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdlib>

#include "common/unit/environment_file.hpp"
#include "common/unit_source/regular_file.hpp"

namespace foster::manager {
namespace {

/// A variable that is longer could not be passed to a program anyway (execve(2)).
constexpr size_t kEnvironmentFileMax = 1024 * 1024;

constexpr std::array<std::string_view, 8> kNeverPassed{
    "NOTIFY_SOCKET", "WATCHDOG_USEC",  "WATCHDOG_PID",  "LISTEN_PID",
    "LISTEN_FDS",    "LISTEN_FDNAMES", "INVOCATION_ID", "SYSTEMD_EXEC_PID"};

bool passed(const UnitSpec& unit, const std::string& name) {
  if (std::ranges::find(kNeverPassed, name) != kNeverPassed.end()) return false;
  return std::ranges::any_of(unit.pass_environment, [&](const std::string& pattern) {
    return fnmatch(pattern.c_str(), name.c_str(), 0) == 0;
  });
}

void pass_from_daemon(Environment& environment, const UnitSpec& unit,
                      const char* const* inherited) {
  if (unit.pass_environment.empty()) return;
  for (const char* const* at = inherited; *at != nullptr; ++at) {
    const std::string_view entry(*at);
    const size_t equals = entry.find('=');
    if (equals == std::string_view::npos) continue;
    const std::string name(entry.substr(0, equals));
    if (passed(unit, name)) set_variable(environment, name, entry.substr(equals + 1));
  }
}

Result<void> add_file(Environment& environment, const EnvironmentFile& file) {
  const auto text = read_regular_file(file.path, kEnvironmentFileMax);
  if (!text) {
    if (file.optional && text.error().system_error == ENOENT) return {};
    return context("use an environment file", text.error());
  }
  const EnvironmentFileContent parsed = parse_environment_file(file.path, *text);
  if (!parsed.diagnostics.empty()) {
    const Diagnostic& first = parsed.diagnostics.front();
    return failure("use the environment file " + first.file + ":" + std::to_string(first.line) +
                       ":" + std::to_string(first.column),
                   first.message);
  }
  for (const auto& [name, value] : parsed.variables)
    set_variable(environment, name, value);
  return {};
}

}  // namespace

void set_variable(Environment& environment, std::string_view name, std::string_view value) {
  const auto same = std::ranges::find(environment, name, &Environment::value_type::first);
  if (same != environment.end())
    same->second = value;
  else
    environment.emplace_back(name, value);
}

const std::string* variable(const Environment& environment, std::string_view name) {
  const auto found = std::ranges::find(environment, name, &Environment::value_type::first);
  return found != environment.end() ? &found->second : nullptr;
}

Result<Environment> service_environment(const UnitSpec& unit, const Identity& identity,
                                        const DaemonFacts& daemon, Attempt attempt) {
  const char* lang = std::getenv("LANG");
  Environment environment;
  environment.reserve(10 + unit.environment.size());
  environment.emplace_back("PATH", kDefaultPath);
  environment.emplace_back("LANG", lang != nullptr && *lang != '\0' ? lang : "C.UTF-8");
  environment.emplace_back("HOME", identity.home);
  environment.emplace_back("USER", identity.user);
  environment.emplace_back("LOGNAME", identity.user);
  environment.emplace_back("SHELL", identity.shell);
  pass_from_daemon(environment, unit, daemon.inherited);
  for (const EnvironmentFile& file : unit.environment_files)
    if (auto added = add_file(environment, file); !added) return std::unexpected(added.error());
  for (const auto& [name, value] : unit.environment)
    set_variable(environment, name, value);
  set_variable(environment, "FOSTER_UNIT", unit.name);
  set_variable(environment, "FOSTER_INSTANCE", daemon.instance);
  set_variable(environment, "FOSTER_ATTEMPT", std::to_string(attempt.value));
  set_variable(environment, "FOSTER_INVOCATION", daemon.invocation);
  return environment;
}

}  // namespace foster::manager
