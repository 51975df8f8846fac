#include "ctl/unit_paths.hpp"

#include <algorithm>
#include <fcntl.h>
#include <unistd.h>

#include "common/ipc/unique_fd.hpp"
#include "common/unit_source/unit_source.hpp"

namespace foster::ctl {
namespace {

std::string content_of(const std::string& path) {
  const UniqueFd file(open(path.c_str(), O_RDONLY | O_CLOEXEC));
  std::string content;
  char part[4096];
  for (ssize_t length = 0; (length = read(file.get(), part, sizeof part)) > 0;)
    content.append(part, static_cast<size_t>(length));
  return content;
}

std::string target_of(const std::string& link) {
  char path[4096];
  const ssize_t length = readlink(link.c_str(), path, sizeof path);
  return length > 0 ? std::string(path, static_cast<size_t>(length)) : std::string();
}

std::vector<std::string> units_of_daemon(const Session& session, const Arguments& arguments) {
  const std::expected<OpenRegion, NoRegion> region = session.find_region(arguments);
  if (!region || region->reader.keeper(now_since_boot()) == region::Liveness::dead) return {};
  const std::string process = "/proc/" + std::to_string(region->reader.header().keeper_pid);
  return units_of_command_line(content_of(process + "/cmdline"), target_of(process + "/cwd"));
}

}  // namespace

std::vector<std::string> units_of_command_line(std::string_view command_line,
                                               const std::string& directory) {
  constexpr std::string_view kOption = "--units";
  std::vector<std::string> paths;
  const auto add = [&](std::string_view path) {
    const bool relative = !path.starts_with('/') && !directory.empty();
    paths.push_back(relative ? directory + "/" + std::string(path) : std::string(path));
  };
  bool value_follows = false;
  for (size_t start = 0; start < command_line.size();) {
    const size_t end = std::min(command_line.find('\0', start), command_line.size());
    const std::string_view word = command_line.substr(start, end - start);
    start = end + 1;
    if (value_follows) {
      add(word);
    } else if (word == "--") {
      break;  // The command to run comes here.
    } else if (word.starts_with(kOption) && word.substr(kOption.size()).starts_with('=')) {
      add(word.substr(kOption.size() + 1));
    }
    value_follows = !value_follows && word == kOption;
  }
  return paths;
}

std::vector<std::string> unit_paths(const Session& session, const Arguments& arguments) {
  if (!arguments.units.empty()) return arguments.units;
  std::vector<std::string> paths = units_of_daemon(session, arguments);
  if (!paths.empty()) return paths;
  const Environment& environment = session.environment();
  return standard_unit_directories(environment.uid, environment.xdg_config_home, environment.home,
                                   environment.xdg_runtime_dir);
}

}  // namespace foster::ctl
