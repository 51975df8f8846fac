// How the values of keys are read: one function per type, each storing the value or reporting what
// is wrong with it. The table in unit_keys.cpp says which key is read by which.
#pragma once

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
void read_umask(const Setting& setting, std::optional<uint32_t>& target);
void read_signal(const Setting& setting, int& target);
void read_number(const Setting& setting, double least, double most, double& target);
void read_count(const Setting& setting, uint32_t most, uint32_t& target);
void read_duration(const Setting& setting, Duration least, Duration& target);
void read_command(const Setting& setting, std::vector<std::string>& target);
void read_environment(const Setting& setting,
                      std::vector<std::pair<std::string, std::string>>& target);
void read_environment_files(const Setting& setting, std::vector<EnvironmentFile>& target);
void read_patterns(const Setting& setting, std::vector<std::string>& target);
void read_exit_codes(const Setting& setting, std::vector<int>& target);

/// The index of the word that was written; nothing, and a report, when it is none of them.
[[nodiscard]] std::optional<size_t> read_word(const Setting& setting,
                                              std::span<const std::string_view> words);

}  // namespace foster
