// What has been asked for at run time and is kept over restarts of the daemon: a value, its text,
// and the file it is kept in.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "common/result.hpp"

namespace foster::manager {

struct UnitSetting {
  std::optional<bool> enabled;  // fosterctl enable, disable; unset: as the unit's file says
  bool masked = false;
  bool operator==(const UnitSetting&) const = default;
};

struct Settings {
  std::map<std::string, UnitSetting, std::less<>> units;
  std::map<std::string, uint32_t, std::less<>> instances;    // fosterctl scale, by template
  std::map<std::string, int64_t, std::less<>> last_runs_us;  // of persistent timers, wall clock
  bool operator==(const Settings&) const = default;

  [[nodiscard]] UnitSetting of(std::string_view unit) const;
};

[[nodiscard]] std::string settings_text(const Settings& settings);
[[nodiscard]] Result<Settings> parse_settings(std::string_view text);

class SettingsFile {
 public:
  /// Nothing is made yet. An empty `directory`: there is nowhere to keep settings.
  explicit SettingsFile(std::string directory) : directory_(std::move(directory)) {}

  [[nodiscard]] const std::string& directory() const { return directory_; }

  struct Found {
    Settings settings;
    std::string complaint;  // why they are not what was kept; else empty
  };
  /// What is kept there; settings without anything when there is nothing. A file that cannot be
  /// understood is moved out of the way, to be looked at by a person.
  [[nodiscard]] Found read() const;

  /// Returns once the disk has it. Makes the directory where needed.
  Result<void> write(const std::string& text) const;

 private:
  std::string directory_;
};

/// Where an instance keeps its settings by default: root: /var/lib/foster/<id>; others:
/// $XDG_STATE_HOME/foster/<id> or $HOME/.local/state/foster/<id>; empty when there is no home.
[[nodiscard]] std::string default_state_dir(std::string_view id, bool root,
                                            std::string_view xdg_state_home, std::string_view home);

}  // namespace foster::manager
