#include "daemon/manager/spawn_plan.hpp"

#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <vector>

#include "common/unit/expansion.hpp"
#include "daemon/manager/environment.hpp"
#include "daemon/protocol/keeper_protocol.hpp"

namespace foster::manager {
namespace {

constexpr mode_t kDefaultUmask = 022;

bool executable_file(const std::string& path) {
  struct stat found {};
  return stat(path.c_str(), &found) == 0 && S_ISREG(found.st_mode) &&
         (found.st_mode & (S_IXUSR | S_IXGRP | S_IXOTH)) != 0;
}

/// As execvp(3) would find it, by the service's own PATH.
Result<std::string> find_program(const std::string& name, const Environment& environment) {
  if (name.find('/') != std::string::npos) return name;
  if (name.empty())
    return std::unexpected(Error{"cannot execute the command: its first word is empty", ENOENT});
  const std::string* path = variable(environment, "PATH");
  std::string_view rest = path != nullptr ? *path : std::string_view();
  while (!rest.empty()) {
    const size_t colon = rest.find(':');
    const std::string_view folder = rest.substr(0, colon);
    std::string candidate(folder.empty() ? "." : folder);
    candidate += '/';
    candidate += name;
    if (executable_file(candidate)) return candidate;
    rest = colon == std::string_view::npos ? std::string_view() : rest.substr(colon + 1);
  }
  return std::unexpected(
      Error{"cannot execute " + name + ": it is in no folder of the service's PATH", ENOENT});
}

void append(std::string& bytes, std::string_view text) {
  bytes += text;
  bytes += '\0';
}

uint32_t plan_flags(const UnitSpec& unit, const Identity& identity) {
  uint32_t flags = 0;
  if (unit.foreground) flags |= protocol::kForeground;
  if (identity.change_ids) flags |= protocol::kSetIds;
  if (!unit.foreground) flags |= protocol::kSetDirectory;
  return flags;
}

}  // namespace

Result<std::string> spawn_plan(const UnitSpec& unit, Attempt attempt, std::string_view instance,
                               IdentityCache& identities, const char* const* inherited) {
  const auto identity = identities.look_up(unit.user, unit.group);
  if (!identity) return std::unexpected(identity.error());
  const auto environment = service_environment(unit, *identity, instance, attempt, inherited);
  if (!environment) return std::unexpected(environment.error());
  const auto words = expand_command(unit.command, *environment);
  if (!words) return std::unexpected(words.error());
  const auto program = find_program(words->front(), *environment);
  if (!program) return std::unexpected(program.error());

  std::string strings;
  append(strings, unit.name);
  append(strings, *program);
  if (!unit.foreground) append(strings, unit.working_directory.value_or("/"));
  for (const std::string& word : *words)
    append(strings, word);
  for (const auto& [name, value] : *environment) {
    strings += name;
    strings += '=';
    append(strings, value);
  }

  const protocol::SpawnPlan plan{.attempt = attempt.value,
                                 .flags = plan_flags(unit, *identity),
                                 .uid = identity->uid,
                                 .gid = identity->gid,
                                 .group_count = static_cast<uint32_t>(identity->groups.size()),
                                 .umask = unit.umask.value_or(kDefaultUmask),
                                 .argc = static_cast<uint32_t>(words->size()),
                                 .envc = static_cast<uint32_t>(environment->size()),
                                 .string_bytes = static_cast<uint32_t>(strings.size())};
  std::string body(reinterpret_cast<const char*>(&plan), sizeof plan);
  body.append(reinterpret_cast<const char*>(identity->groups.data()),
              identity->groups.size() * sizeof(gid_t));
  body += strings;
  return body;
}

}  // namespace foster::manager
