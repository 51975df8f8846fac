// A new set of units in the place of the old. It is checked in the background; when it is right,
// its texts go to the keeper, and the manager starts itself afresh: its successor finds the new set
// and the services that run, as it does after a crash. When it is not, nothing has changed.
#pragma once

#include <cerrno>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "common/ipc/unique_fd.hpp"
#include "common/result.hpp"
#include "daemon/manager/background.hpp"
#include "daemon/manager/keeper_client.hpp"
#include "daemon/manager/options.hpp"
#include "daemon/manager/settings_store.hpp"

namespace foster::manager {

// At the keeper.
inline constexpr char kKeptUnits[] = "foster/units";
inline constexpr char kFormerUnits[] = "foster/former/";  // and a number: those of former sets

/// Error::system_error of mistakes in unit files, whose message is all of them as people are shown
/// them.
inline constexpr int kBadUnits = EBADMSG;

/// The texts that the keeper holds.
struct KeptTexts {
  UniqueFd units;
  std::vector<uint32_t> former;  // their numbers, ascending
};

class Renewal {
 public:
  using Done = std::function<void(Result<void>)>;

  /// All references outlive it. `strays`: services run that are not of the newest set.
  Renewal(KeeperClient& keeper, Background& background, SettingsStore& settings,
          const Options& options, KeptTexts texts, bool strays)
      : keeper_(keeper),
        background_(background),
        settings_(settings),
        options_(options),
        texts_(std::move(texts)),
        strays_(strays) {}

  /// Reads the unit files again.
  void load(Done done);
  /// A template, named without its @, is to have that many instances.
  void scale(const std::string& name, uint32_t instances, Done done);

  /// The manager is to start itself afresh.
  [[nodiscard]] bool ready() const { return ready_; }

 private:
  void take_over(UniqueFd units);

  KeeperClient& keeper_;
  Background& background_;
  SettingsStore& settings_;
  const Options& options_;
  KeptTexts texts_;
  bool strays_;
  bool ready_ = false;
};

}  // namespace foster::manager
