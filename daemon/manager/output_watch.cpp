#include "daemon/manager/output_watch.hpp"

#include <utility>

#include "common/output_tail/output_tail.hpp"

namespace foster::manager {
namespace {

/// foster-tap closes its own before the command is executed.
void pass(SpawnExtras& extras, const char* option, UniqueFd fd) {
  const int number = free_number(extras);
  extras.wrapper.emplace_back(option);
  extras.wrapper.push_back(std::to_string(number));
  extras.descriptors.push_back({number, std::move(fd)});
}

}  // namespace

Result<void> watch_output(const UnitSpec& unit, core::Role role, std::string_view runtime_directory,
                          const std::string& tap, UniqueFd ready, SpawnExtras& extras) {
  const bool keep = unit.keep_output && role != core::Role::ready_check &&
                    role != core::Role::health_check && !unit.foreground;
  if (!keep && !ready) return {};
  extras.wrapper = {tap};
  if (ready) {
    extras.wrapper.insert(extras.wrapper.end(), {"--match", unit.ready->target});
    pass(extras, "--ready-fd", std::move(ready));
  }
  if (!keep) return {};
  auto tail = open_output_tail(runtime_directory, unit.name);
  if (!tail) return std::unexpected(tail.error());
  pass(extras, "--tail-fd", std::move(*tail));
  return {};
}

}  // namespace foster::manager
