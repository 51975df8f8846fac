#include "daemon/manager/settings_store.hpp"

#include <utility>

#include "daemon/manager/log.hpp"

namespace foster::manager {

void SettingsStore::change(const Edit& edit, Done done) {
  background_.run(
      [this, edit]() -> Result<std::string> {
        Settings next = current_;
        edit(next);
        if (auto written = file_.write(settings_text(next)); !written)
          return std::unexpected(written.error());
        return "";
      },
      [this, edit, done = std::move(done)](const Result<UniqueFd>& written) {
        if (!written) return done(std::unexpected(written.error()));
        changed(edit);
        done({});
      });
}

void SettingsStore::changed(const Edit& edit) {
  edit(current_);
  keep();
}

void SettingsStore::ran(const std::string& unit, int64_t real_us) {
  current_.last_runs_us[unit] = real_us;
  ran_ = true;
}

void SettingsStore::turn_ended() {
  if (!std::exchange(ran_, false)) return;
  keep();
  more_runs_ = true;
  if (!saving_runs_) save_runs();
}

void SettingsStore::save_runs() {
  saving_runs_ = true;
  more_runs_ = false;
  background_.run(
      [this]() -> Result<std::string> {
        if (auto written = file_.write(settings_text(current_)); !written)
          return std::unexpected(written.error());
        return "";
      },
      [this](const Result<UniqueFd>& written) {
        saving_runs_ = false;
        if (more_runs_) save_runs();
        if (!written && !std::exchange(complained_, true))
          log(Level::warning, "when timers ran last is not kept over a restart",
              {{"error", written.error().message}});
      });
}

void SettingsStore::keep() {
  const auto memory = memfd_with("foster-settings", settings_text(current_));
  if (memory)
    keeper_.store(kKeptSettings, memory->get());
  else
    log(Level::error, memory.error().message);
}

SettingsFile::Found find_settings(Handover& handover, const SettingsFile& file) {
  const UniqueFd kept = handover.take(kKeptSettings);
  if (!kept) return file.read();
  const auto text = text_of(kept.get());
  if (!text) return {{}, text.error().message};
  auto settings = parse_settings(*text);
  if (!settings) return {{}, settings.error().message};
  return {std::move(*settings), ""};
}

}  // namespace foster::manager
