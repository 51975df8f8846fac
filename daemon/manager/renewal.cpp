#include "daemon/manager/renewal.hpp"

#include <utility>

#include "daemon/manager/enablement.hpp"
#include "daemon/manager/unit_loader.hpp"

namespace foster::manager {
namespace {

std::unexpected<Error> bad_units(const LoadedUnits& loaded) {
  return std::unexpected(Error{render_all(loaded.checked.diagnostics), kBadUnits});
}

Result<std::string> check_files(const Options& options, const InstanceCounts& instances) {
  const auto loaded = load_units(options, instances);
  if (!loaded) return std::unexpected(loaded.error());
  if (!loaded->checked.set) return bad_units(*loaded);
  if (auto named = Enablement::check(*loaded->checked.set, options.start); !named)
    return std::unexpected(named.error());
  return pack(loaded->files);
}

Result<std::string> check_and_keep(int texts, const Options& options, const Settings& settings,
                                   const SettingsFile& file) {
  const auto loaded = reload_kept_units(texts, options, settings.instances);
  if (!loaded) return std::unexpected(loaded.error());
  if (!loaded->checked.set) return bad_units(*loaded);
  if (auto written = file.write(settings_text(settings)); !written)
    return std::unexpected(written.error());
  return "";
}

std::string former_name(uint32_t number) {
  return kFormerUnits + std::to_string(number);
}

}  // namespace

void Renewal::load(Done done) {
  background_.run([this] { return check_files(options_, settings_.current().instances); },
                  [this, done = std::move(done)](Result<UniqueFd> checked) {
                    if (!checked) return done(std::unexpected(checked.error()));
                    take_over(std::move(*checked));
                    done({});
                  });
}

void Renewal::take_over(UniqueFd units) {
  if (!strays_) {
    for (const uint32_t number : std::exchange(texts_.former, {}))
      keeper_.drop(former_name(number));
  }
  const uint32_t number = texts_.former.empty() ? 1 : texts_.former.back() + 1;
  keeper_.store(former_name(number), texts_.units.get());
  keeper_.store(kKeptUnits, units.get());
  texts_.former.push_back(number);
  texts_.units = std::move(units);
  strays_ = true;  // Perhaps: what runs and is not in the new set is one.
  ready_ = true;
}

void Renewal::scale(const std::string& name, uint32_t instances, Done done) {
  const SettingsStore::Edit edit = [name, instances](Settings& settings) {
    settings.instances[name] = instances;
  };
  background_.run(
      [this, edit] {
        Settings next = settings_.current();
        edit(next);
        return check_and_keep(texts_.units.get(), options_, next, settings_.file());
      },
      [this, edit, done = std::move(done)](const Result<UniqueFd>& kept) {
        if (!kept) return done(std::unexpected(kept.error()));
        settings_.changed(edit);
        ready_ = true;
        done({});
      },
      &texts_.units);
}

}  // namespace foster::manager
