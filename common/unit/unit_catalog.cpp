#include "common/unit/unit_catalog.hpp"

#include <algorithm>
#include <tuple>

#include "common/unit/unit_name.hpp"

namespace foster {
namespace {

constexpr std::string_view kSuffix = ".toml";
constexpr std::string_view kDropInSuffix = ".toml.d";

std::string_view file_name(std::string_view path) {
  return path.substr(path.rfind('/') + 1);
}

/// Whether the file takes something away instead of saying it. In the lowest layer an empty file is
/// more likely one that could not be written.
bool takes_away(const SourceFile& source) {
  return source.mask || (source.text.empty() && source.layer > 0);
}

}  // namespace

std::string_view drop_in_owner(std::string_view path) {
  const size_t slash = path.rfind('/');
  if (slash == std::string_view::npos || !path.ends_with(kSuffix)) return {};
  const std::string_view directory = file_name(path.substr(0, slash));
  if (!directory.ends_with(kDropInSuffix)) return {};
  return directory.substr(0, directory.size() - kDropInSuffix.size());
}

UnitCatalog::UnitCatalog(std::span<const SourceFile> sources) : sources_(sources) {
  for (size_t i = 0; i < sources.size(); ++i) {
    if (!drop_in_owner(sources[i].path).empty()) continue;
    Result<std::string> name = unit_name_of(sources[i].path);
    if (name) {
      base(i, std::move(*name));
    } else {
      stray_.push_back(i);
    }
  }
  drop_ins();
}

void UnitCatalog::base(size_t source, std::string name) {
  Entry& entry = entries_[std::move(name)];
  const SourceFile& file = sources_[source];
  if (entry.base != kNone && sources_[entry.base].layer == file.layer) {
    diagnostics_.push_back({file.path,
                            0,
                            0,
                            1,
                            "a unit of this name is there already: " + sources_[entry.base].path,
                            {}});
    stray_.push_back(source);
    return;
  }
  if (entry.base != kNone && sources_[entry.base].layer > file.layer) return;
  entry.base = source;
  entry.masked = takes_away(file);
}

void UnitCatalog::drop_ins() {
  std::map<std::string_view, std::vector<size_t>> by_owner;
  for (size_t i = 0; i < sources_.size(); ++i) {
    const std::string_view owner = drop_in_owner(sources_[i].path);
    if (!owner.empty()) by_owner[owner].push_back(i);
  }
  for (auto& [owner, sources] : by_owner)
    drop_ins_of(owner, std::move(sources));
}

void UnitCatalog::drop_ins_of(std::string_view name, std::vector<size_t> sources) {
  std::ranges::stable_sort(sources, {}, [&](size_t source) {
    return std::tuple(file_name(sources_[source].path), sources_[source].layer);
  });
  Entry& entry = entries_[std::string(name)];
  for (size_t i = 0; i < sources.size(); ++i) {
    const bool outdone = i + 1 < sources.size() && file_name(sources_[sources[i]].path) ==
                                                       file_name(sources_[sources[i + 1]].path);
    if (!outdone && !takes_away(sources_[sources[i]])) entry.drop_ins.push_back(sources[i]);
  }
}

const UnitCatalog::Entry* UnitCatalog::find(std::string_view name) const {
  const auto found = entries_.find(name);
  return found == entries_.end() ? nullptr : &found->second;
}

bool UnitCatalog::masked(std::string_view name) const {
  const Entry* entry = find(name);
  return entry != nullptr && entry->masked;
}

bool UnitCatalog::has_template_for(std::string_view name) const {
  const Entry* entry = find(template_of(name));
  return entry != nullptr && entry->base != kNone && !entry->masked;
}

bool UnitCatalog::provides(std::string_view name) const {
  const Entry* entry = find(name);
  if (entry != nullptr && entry->base != kNone) return !entry->masked;
  return has_template_for(name);
}

void UnitCatalog::add_template(std::string_view name, std::vector<size_t>& sources) const {
  const Entry* entry = find(template_of(name));
  if (entry == nullptr) return;
  if (sources.empty()) sources.push_back(entry->base);
  sources.insert(sources.end(), entry->drop_ins.begin(), entry->drop_ins.end());
}

UnitCatalog::Files UnitCatalog::files_of(std::string_view name) const {
  Files files;
  const Entry* entry = find(name);
  const bool own = entry != nullptr && entry->base != kNone;
  if (own) files.sources.push_back(entry->base);
  files.of_template.begin = own && !is_template_name(name) ? 1 : 0;
  if (!template_of(name).empty()) add_template(name, files.sources);
  files.of_template.end = static_cast<uint32_t>(files.sources.size());
  if (entry != nullptr)
    files.sources.insert(files.sources.end(), entry->drop_ins.begin(), entry->drop_ins.end());
  if (is_template_name(name)) files.of_template.end = static_cast<uint32_t>(files.sources.size());
  return files;
}

}  // namespace foster
