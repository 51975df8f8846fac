// The settings while the daemon runs. The keeper holds them too, for the manager's successors; the
// disk keeps them for the daemon's. A change counts once the disk has it.
#pragma once

#include <functional>

#include "daemon/manager/background.hpp"
#include "daemon/manager/keeper_client.hpp"
#include "daemon/manager/settings.hpp"

namespace foster::manager {

inline constexpr char kKeptSettings[] = "foster/settings";  // at the keeper

class SettingsStore {
 public:
  using Edit = std::function<void(Settings&)>;
  using Done = std::function<void(Result<void>)>;

  /// `keeper` and `background` outlive it.
  SettingsStore(KeeperClient& keeper, Background& background, SettingsFile file, Settings current)
      : keeper_(keeper),
        background_(background),
        file_(std::move(file)),
        current_(std::move(current)) {}

  [[nodiscard]] const Settings& current() const { return current_; }
  [[nodiscard]] const SettingsFile& file() const { return file_; }

  /// Puts the edit into effect once it is on the disk, and then calls `done`; when it does not get
  /// there nothing has changed.
  void change(const Edit& edit, Done done);

  /// Takes over what is on the disk already.
  void changed(const Edit& edit);

  /// A persistent timer has elapsed. Counts at once; gets to the keeper at the end of the turn,
  /// with all others of it, and to the disk when it does: an error there is logged once.
  void ran(const std::string& unit, int64_t real_us);
  void turn_ended();

 private:
  void keep();
  void save_runs();

  KeeperClient& keeper_;
  Background& background_;
  SettingsFile file_;
  Settings current_;
  bool saving_runs_ = false;
  bool more_runs_ = false;  // since that save was asked for
  bool ran_ = false;        // in this turn
  bool complained_ = false;
};

/// What the keeper holds, or what the disk has kept if it holds nothing.
[[nodiscard]] SettingsFile::Found find_settings(Handover& handover, const SettingsFile& file);

}  // namespace foster::manager
