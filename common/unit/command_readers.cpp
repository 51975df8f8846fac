// Commands: an array of strings, or several of them.

#include "common/unit/expansion.hpp"
#include "common/unit/key_readers.hpp"
#include "common/unit/setting_report.hpp"

namespace foster {
namespace {

void check_expansions(const Setting& setting, const ConfigValue& item) {
  for (ExpansionMistake& mistake : check_expansion(item.text)) {
    setting.findings.report(place_within(setting, item, mistake.offset, mistake.length),
                            std::move(mistake.message));
  }
}

void check_program(const Setting& setting, const ConfigValue& item, std::string_view program) {
  if (program.empty()) {
    report(setting, item,
           "the first string of " + key_text(setting) + " is empty: it must name a program");
  } else if (program.contains('/') && program[0] != '/' && program[0] != '$') {
    report(setting, item,
           "the program " + quoted_text(program) +
               " must be an absolute path, or a name without '/' that is looked up in PATH");
  } else if (program.ends_with('/')) {
    report(setting, item, "the program " + quoted_text(program) + " is a directory's name");
  } else if (program.contains(' ') && program[0] != '/') {
    report(setting, item,
           "the program " + quoted_text(program) +
               " has a space in its name: each argument is a string of its own");
  }
}

/// Whether the strings of `command`, an array, can be run; if not, that has been reported.
/// `program` is its first string as far as that is the program's name.
bool check_command(const Setting& setting, const ConfigValue& command, std::string_view program) {
  const size_t before = setting.findings.size();
  check_program(setting, command.items.front(), program);
  for (const ConfigValue& item : command.items) {
    if (free_of_nul(setting, item)) check_expansions(setting, item);
  }
  return setting.findings.size() == before;
}

/// The array's items, if all of them are strings and there is one.
const std::vector<ConfigValue>* command_items(const Setting& setting, const ConfigValue& command) {
  if (command.items.empty()) {
    report(setting, command, key_text(setting) + " is empty: it must name at least a program");
    return nullptr;
  }
  bool all_texts = true;
  for (const ConfigValue& item : command.items) {
    if (item.kind == ValueKind::text) continue;
    report_item_type(setting, item, "strings");
    all_texts = false;
  }
  return all_texts ? &command.items : nullptr;
}

void take_command(const Setting& setting, const ConfigValue& command, Argv& target) {
  const std::vector<ConfigValue>* items = command_items(setting, command);
  if (items == nullptr || !check_command(setting, command, items->front().text)) return;
  target.reserve(items->size());
  for (const ConfigValue& item : *items)
    target.push_back(item.text);
}

/// The value's commands: itself, or each of its items where these are arrays.
std::span<const ConfigValue> commands_of(const Setting& setting) {
  const ConfigValue& value = setting.entry.value;
  if (value.kind != ValueKind::array) {
    report_type(setting, as_array(value));
    return {};
  }
  if (value.items.empty()) return {};
  const bool several = value.items.front().kind == ValueKind::array;
  if (!several) return std::span(&value, 1);
  for (const ConfigValue& item : value.items) {
    if (item.kind == ValueKind::array) continue;
    report_item_type(setting, item, "commands, each an array of strings");
    return {};
  }
  return value.items;
}

}  // namespace

void read_command(const Setting& setting, Argv& target) {
  const ConfigValue& value = setting.entry.value;
  if (value.kind != ValueKind::array) return report_type(setting, as_array(value));
  take_command(setting, value, target);
}

void read_main_commands(const Setting& setting, UnitSpec& spec) {
  const ConfigValue& value = setting.entry.value;
  if (value.kind == ValueKind::array && value.items.empty())
    return report(setting, value, "`command` is empty: it must name at least a program");
  std::vector<Argv> commands;
  read_commands(setting, commands);
  if (commands.empty()) return;
  spec.command = std::move(commands.front());
  commands.erase(commands.begin());
  spec.more_commands = std::move(commands);
}

void read_commands(const Setting& setting, std::vector<Argv>& target) {
  for (const ConfigValue& command : commands_of(setting)) {
    Argv argv;
    take_command(setting, command, argv);
    if (!argv.empty()) target.push_back(std::move(argv));
  }
}

void read_command_conditions(const Setting& setting, std::vector<ConditionSpec>& target) {
  for (const ConfigValue& command : commands_of(setting)) {
    const std::vector<ConfigValue>* items = command_items(setting, command);
    if (items == nullptr) continue;
    std::string_view program = items->front().text;
    ConditionSpec condition;
    condition.kind = ConditionKind::command;
    condition.negated = program.starts_with('!');
    program.remove_prefix(condition.negated ? 1 : 0);
    if (!check_command(setting, command, program)) continue;
    for (const ConfigValue& item : *items)
      condition.command.push_back(item.text);
    condition.command.front() = program;
    target.push_back(std::move(condition));
  }
}

}  // namespace foster
