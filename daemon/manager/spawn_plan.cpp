#include "daemon/manager/spawn_plan.hpp"

#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <vector>

#include "common/unit/expansion.hpp"
#include "daemon/manager/environment.hpp"
#include "daemon/manager/errand.hpp"
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

uint32_t plan_flags(const UnitSpec& unit, core::Role role, const Identity& identity) {
  uint32_t flags = 0;
  if (unit.foreground && role == core::Role::main) flags |= protocol::kForeground;
  if (identity.change_ids) flags |= protocol::kSetIds;
  if (!unit.foreground) flags |= protocol::kSetDirectory;
  return flags;
}

Result<Environment> environment_of(const UnitSpec& unit, const ProcessOrder& order,
                                   const DaemonFacts& daemon, const Identity& identity) {
  auto environment = service_environment(unit, identity, daemon, order.attempt);
  if (!environment) return environment;
  for (const auto& [name, value] : order.extras.environment)
    set_variable(*environment, name, value);
  return environment;
}

template <class Value>
void append_numbers(std::string& bytes, const std::vector<Value>& numbers) {
  bytes.append(reinterpret_cast<const char*>(numbers.data()), numbers.size() * sizeof(Value));
}

std::vector<int32_t> numbers_of(const std::vector<PassedDescriptor>& descriptors) {
  std::vector<int32_t> numbers;
  numbers.reserve(descriptors.size());
  for (const PassedDescriptor& passed : descriptors)
    numbers.push_back(passed.number);
  return numbers;
}

/// What is executed in the end: the command itself, or its wrapper with the command behind it.
Argv wrapped(const Argv& wrapper, const std::string& program, const Argv& words) {
  if (wrapper.empty()) return words;
  Argv all = wrapper;
  all.insert(all.end(), {"--program", program, "--"});
  all.insert(all.end(), words.begin(), words.end());
  return all;
}

}  // namespace

Result<std::string> spawn_plan(const UnitSpec& unit, const ProcessOrder& order,
                               const DaemonFacts& daemon, IdentityCache& identities) {
  const auto identity = identities.look_up(unit.user, unit.group);
  if (!identity) return std::unexpected(identity.error());
  const auto environment = environment_of(unit, order, daemon, *identity);
  if (!environment) return std::unexpected(environment.error());
  RoleCommand command = role_command(unit, order.role, order.index, daemon.probe);
  const Result<Argv> words = command.expand ? expand_command(command.words, *environment)
                                            : Result<Argv>(std::move(command.words));
  if (!words) return std::unexpected(words.error());
  const auto program = find_program(words->front(), *environment);
  if (!program) return std::unexpected(program.error());

  const Argv& wrapper = order.extras.wrapper;
  const Argv executed = wrapped(wrapper, *program, *words);
  std::string strings;
  append(strings, unit.name);
  append(strings, wrapper.empty() ? *program : wrapper.front());
  if (!unit.foreground) append(strings, unit.working_directory.value_or("/"));
  for (const std::string& word : executed)
    append(strings, word);
  for (const auto& [name, value] : *environment) {
    strings += name;
    strings += '=';
    append(strings, value);
  }

  const std::vector<int32_t> numbers = numbers_of(order.extras.descriptors);
  const protocol::SpawnPlan plan{.attempt = order.attempt.value,
                                 .tag = tag_of(order.role, order.index),
                                 .fd_count = static_cast<uint32_t>(numbers.size()),
                                 .flags = plan_flags(unit, order.role, *identity),
                                 .uid = identity->uid,
                                 .gid = identity->gid,
                                 .group_count = static_cast<uint32_t>(identity->groups.size()),
                                 .umask = unit.umask.value_or(kDefaultUmask),
                                 .argc = static_cast<uint32_t>(executed.size()),
                                 .envc = static_cast<uint32_t>(environment->size()),
                                 .string_bytes = static_cast<uint32_t>(strings.size())};
  std::string body(reinterpret_cast<const char*>(&plan), sizeof plan);
  append_numbers(body, identity->groups);
  append_numbers(body, numbers);
  body += strings;
  return body;
}

}  // namespace foster::manager
