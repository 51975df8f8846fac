#include "daemon/manager/unit_loader.hpp"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>

#include "common/instance.hpp"

namespace foster::manager {
namespace {

bool name_character(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
         c == '_' || c == '.';
}

std::string environment_or_empty(const char* name) {
  const char* value = std::getenv(name);
  return value != nullptr ? value : "";
}

std::string default_units_path() {
  return default_units_dir(geteuid(), environment_or_empty("XDG_CONFIG_HOME"),
                           environment_or_empty("HOME"));
}

bool exists(const std::string& path) {
  struct stat found {};
  return stat(path.c_str(), &found) == 0;
}

/// The checked set of the files and, when there is one, the command's unit.
LoadedUnits check(std::vector<SourceFile> files, std::vector<Diagnostic> unreadable,
                  const Options& options) {
  LoadedUnits loaded;
  loaded.checked = build_unit_set(files, std::move(unreadable));
  loaded.files = std::move(files);
  if (options.command.empty() || !loaded.checked.set) return loaded;
  UnitSpec unit = command_unit(options.command);
  while (loaded.checked.set->find(unit.name))
    unit.name += "-command";
  std::vector<UnitSpec> units = loaded.checked.set->units();
  units.push_back(std::move(unit));
  loaded.checked.set = std::make_shared<const UnitSet>(std::move(units));
  return loaded;
}

}  // namespace

UnitSpec command_unit(const std::vector<std::string>& command) {
  UnitSpec unit;
  const std::string& program = command.front();
  unit.name = program.substr(program.rfind('/') + 1).substr(0, kUnitNameMax / 2);
  std::ranges::replace_if(
      unit.name, [](char c) { return !name_character(c); }, '_');
  if (unit.name.empty() || unit.name[0] == '.' || unit.name[0] == '-') unit.name = "command";
  unit.description = "The command that fosterd was given";
  unit.essential = true;
  unit.foreground = true;
  unit.command = command;
  // Arguments reach the command as they were given: a dollar is not the manager's business here.
  for (std::string& word : unit.command)
    for (size_t at = word.find('$'); at != std::string::npos; at = word.find('$', at + 2))
      word.insert(at, "$");
  unit.pass_environment = {"*"};
  unit.restart.policy = RestartPolicy::never;
  return unit;
}

Result<LoadedUnits> load_units(const Options& options) {
  std::vector<std::string> paths = options.unit_paths;
  const std::string standard = default_units_path();
  if (paths.empty() && options.command.empty()) {
    if (!exists(standard))
      return failure("start",
                     "there is nothing to run: " + standard +
                         " does not exist; make it, or name a directory of unit files with "
                         "--units, or a command after --");
    paths.push_back(standard);
  }
  SourceSet sources = read_unit_sources(paths);
  return check(std::move(sources.files), std::move(sources.unreadable), options);
}

Result<UniqueFd> keep_units(const std::vector<SourceFile>& files) {
  const std::string packed = pack(files);
  UniqueFd memory(memfd_create("foster-units", MFD_CLOEXEC | MFD_ALLOW_SEALING));
  if (!memory) return system_failure("make a memfd for the unit files", errno);
  for (size_t done = 0; done < packed.size();) {
    const ssize_t taken = write(memory.get(), packed.data() + done, packed.size() - done);
    if (taken < 0) return system_failure("keep the unit files in a memfd", errno);
    done += static_cast<size_t>(taken);
  }
  if (fcntl(memory.get(), F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE | F_SEAL_SEAL) !=
      0)
    return system_failure("seal the kept unit files", errno);
  return memory;
}

Result<LoadedUnits> reload_kept_units(int memfd, const Options& options) {
  struct stat found {};
  if (fstat(memfd, &found) != 0) return system_failure("inspect the kept unit files", errno);
  std::string packed(static_cast<size_t>(found.st_size), '\0');
  const ssize_t taken = pread(memfd, packed.data(), packed.size(), 0);
  if (taken != found.st_size)
    return system_failure("read the kept unit files", taken < 0 ? errno : EIO);
  auto files = unpack(packed);
  if (!files) return std::unexpected(files.error());
  return check(std::move(*files), {}, options);
}

std::shared_ptr<const UnitSet> with_strays(std::shared_ptr<const UnitSet> set,
                                           const std::vector<std::string>& names) {
  if (names.empty()) return set;
  std::vector<UnitSpec> units = set->units();
  for (const std::string& name : names) {
    UnitSpec stray;
    stray.name = name;
    stray.description = "Runs, but no unit file describes it any more";
    stray.command = {"/nonexistent"};
    stray.restart.policy = RestartPolicy::never;
    units.push_back(std::move(stray));
  }
  return std::make_shared<const UnitSet>(std::move(units));
}

}  // namespace foster::manager
