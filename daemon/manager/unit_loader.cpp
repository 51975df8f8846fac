#include "daemon/manager/unit_loader.hpp"

#include <unistd.h>

#include <algorithm>
#include <cstdlib>

#include "common/instance.hpp"
#include "daemon/manager/background.hpp"

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

/// The lowest layer first.
std::vector<std::string> standard_paths() {
  return standard_unit_directories(geteuid(), environment_or_empty("XDG_CONFIG_HOME"),
                                   environment_or_empty("HOME"),
                                   environment_or_empty("XDG_RUNTIME_DIR"));
}

std::string main_standard_path() {
  return default_units_dir(geteuid(), environment_or_empty("XDG_CONFIG_HOME"),
                           environment_or_empty("HOME"));
}

/// The checked set of the files and, when there is one, the command's unit.
LoadedUnits check(std::vector<SourceFile> files, std::vector<Diagnostic> unreadable,
                  const Options& options, const SetOptions& set_options) {
  LoadedUnits loaded;
  loaded.checked = build_unit_set(files, std::move(unreadable), set_options);
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
  unit.descriptors.make().takes_inherited = true;
  unit.restart.policy = RestartPolicy::never;
  return unit;
}

Result<LoadedUnits> load_units(const Options& options, const InstanceCounts& instances) {
  std::vector<std::string> paths = options.unit_paths;
  if (paths.empty() && options.command.empty()) {
    paths = standard_paths();
    if (paths.empty())
      return failure("start",
                     "there is nothing to run: " + main_standard_path() +
                         " does not exist; make it, or name a directory of unit files with "
                         "--units, or a command after --");
  }
  SourceSet sources = read_unit_sources(paths);
  return check(std::move(sources.files), std::move(sources.unreadable), options,
               {.instances = instances, .partial = sources.partial});
}

Result<UniqueFd> keep_units(const std::vector<SourceFile>& files) {
  auto memory = memfd_with("foster-units", pack(files));
  if (!memory) return context("keep the unit files", memory.error());
  return memory;
}

Result<LoadedUnits> reload_kept_units(int memfd, const Options& options,
                                      const InstanceCounts& instances) {
  const auto packed = text_of(memfd);
  if (!packed) return context("read the kept unit files", packed.error());
  auto files = unpack(*packed);
  if (!files) return std::unexpected(files.error());
  // Whether they are all that there are was known when they were read.
  return check(std::move(*files), {}, options, {.instances = instances, .partial = true});
}

std::string render_all(const std::vector<Diagnostic>& diagnostics) {
  std::string text;
  for (const Diagnostic& diagnostic : diagnostics)
    text += render(diagnostic);
  return text;
}

}  // namespace foster::manager
