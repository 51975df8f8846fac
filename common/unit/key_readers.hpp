// How the values of keys are read: one function per type, each storing the value or reporting what
// is wrong with it. The table in unit_keys.cpp says which key is read by which.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "common/unit/unit_keys.hpp"

namespace foster {

void read_boolean(const Setting& setting, bool& target);
void read_one_line(const Setting& setting, std::string& target);
void read_account(const Setting& setting, std::optional<std::string>& target);
void read_directory(const Setting& setting, std::optional<std::string>& target);
/// Permission bits: an umask, a file's mode.
void read_permissions(const Setting& setting, std::optional<uint32_t>& target);
void read_signal(const Setting& setting, int& target);
void read_number(const Setting& setting, double least, double most, double& target);
void read_count(const Setting& setting, uint32_t least, uint32_t most, uint32_t& target);
void read_duration(const Setting& setting, Duration least, Duration& target);
void read_environment(const Setting& setting,
                      std::vector<std::pair<std::string, std::string>>& target);
void read_environment_files(const Setting& setting, std::vector<EnvironmentFile>& target);
void read_patterns(const Setting& setting, std::vector<std::string>& target);
void read_exit_codes(const Setting& setting, std::vector<int>& target);

void read_command(const Setting& setting, Argv& target);
/// One command, or several; none is a mistake.
void read_main_commands(const Setting& setting, UnitSpec& spec);
/// One command, or an array of them; an empty array is no command.
void read_commands(const Setting& setting, std::vector<Argv>& target);
void read_command_conditions(const Setting& setting, std::vector<ConditionSpec>& target);

void read_path(const Setting& setting, std::string& target);
void read_socket_path(const Setting& setting, std::string& target);
void read_address(const Setting& setting, std::string& target);
void read_url(const Setting& setting, std::string& target);
void read_http_status(const Setting& setting, uint16_t& target);
/// A POSIX extended regular expression (regex(7)).
void read_pattern(const Setting& setting, std::string& target);
void read_descriptor(const Setting& setting, int& target);
void read_variable_name(const Setting& setting, std::string& target);
void read_size(const Setting& setting, uint64_t& target);

void read_listen(const Setting& setting, SocketSpec& socket);
void read_descriptor_name(const Setting& setting, std::string& target);
void read_interface(const Setting& setting, std::string& target);
void read_buffer_size(const Setting& setting, uint32_t& target);

/// Names of units; a leading '-' says that there need be no such unit.
void read_references(const Setting& setting, std::vector<Reference>& target);
[[nodiscard]] std::optional<Reference> read_reference(const Setting& setting);
/// How many instances a template has, or their names.
void read_instances(const Setting& setting, std::vector<std::string>& target);
/// A string, or an array of them, each a condition of its own; of any kind but `command`.
void read_conditions(const Setting& setting, ConditionKind kind);
void read_calendars(const Setting& setting, std::vector<std::string>& target);

/// The index of the word that was written; nothing, and a report, when it is none of them.
[[nodiscard]] std::optional<size_t> read_word(const Setting& setting,
                                              std::span<const std::string_view> words);

}  // namespace foster
