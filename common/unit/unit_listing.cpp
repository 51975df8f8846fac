#include "common/unit/unit_listing.hpp"

#include <algorithm>
#include <span>
#include <tuple>

#include "common/unit/setting_report.hpp"
#include "common/unit/specifiers.hpp"
#include "common/unit/unit_assembly.hpp"
#include "common/unit/unit_catalog.hpp"
#include "common/unit/unit_name.hpp"

namespace foster {
namespace {

std::string quoted(std::string_view text) {
  constexpr std::string_view kHex = "0123456789abcdef";
  std::string quoted = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') {
      quoted += '\\';
      quoted += c;
    } else if (c == '\n') {
      quoted += "\\n";
    } else if (c == '\t') {
      quoted += "\\t";
    } else if (control_character(c)) {
      quoted += "\\u00";
      quoted += kHex[static_cast<uint8_t>(c) >> 4];
      quoted += kHex[static_cast<uint8_t>(c) & 15];
    } else {
      quoted += c;
    }
  }
  return quoted + "\"";
}

std::string key_name(std::string_view name) {
  const auto bare = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '_';
  };
  return !name.empty() && std::ranges::all_of(name, bare) ? std::string(name) : quoted(name);
}

std::string octal_text(int64_t number) {
  std::string digits;
  for (; number > 0; number /= 8)
    digits.insert(digits.begin(), static_cast<char>('0' + number % 8));
  return "0o" + (digits.empty() ? "0" : digits);
}

/// Commas between what `item_text` makes of each.
template <class Items, class ItemText>
std::string joined(const Items& items, ItemText item_text) {
  std::string text;
  for (const auto& item : items)
    text += (text.empty() ? "" : ", ") + item_text(item);
  return text;
}

class Lister {
 public:
  Lister(UnitListing& listing, std::span<const UnitPart> parts)
      : listing_(listing), parts_(parts) {}

  void document(const ConfigValue& document) {
    for (const ConfigEntry* entry : in_order(document.entries)) {
      if (entry->value.kind != ValueKind::table && !repeated(*entry)) key("", "", *entry);
    }
    for (const SectionSpec& section : unit_sections())
      for (const ConfigEntry& entry : document.entries) {
        if (entry.name != section.name) continue;
        if (entry.value.kind == ValueKind::table) this->section(entry);
        if (repeated(entry)) all_sections(entry);
      }
    for (const ConfigEntry* entry : in_order(document.entries))
      if (entry->value.kind == ValueKind::table && find_section(entry->name) == nullptr)
        this->section(*entry);
  }

 private:
  static std::vector<const ConfigEntry*> in_order(const std::vector<ConfigEntry>& entries) {
    std::vector<const ConfigEntry*> sorted;
    sorted.reserve(entries.size());
    for (const ConfigEntry& entry : entries)
      sorted.push_back(&entry);
    std::ranges::stable_sort(sorted, {}, [](const ConfigEntry* entry) {
      const Place& place = entry->place;
      return std::tuple(place.file, place.line, place.column);
    });
    return sorted;
  }

  /// Several sections of one name.
  static bool repeated(const ConfigEntry& entry) {
    const SectionSpec* section = find_section(entry.name);
    const auto is_table = [](const ConfigValue& item) { return item.kind == ValueKind::table; };
    return section != nullptr && repeats(section->section) &&
           entry.value.kind == ValueKind::array && !entry.value.items.empty() &&
           std::ranges::all_of(entry.value.items, is_table);
  }

  void all_sections(const ConfigEntry& entry) {
    for (const ConfigValue& table : entry.value.items) {
      const size_t first = listing_.keys.size();
      for (const ConfigEntry* inner : in_order(table.entries))
        key("[" + entry.name + "]", "", *inner);
      if (listing_.keys.size() > first) listing_.keys[first].begins = true;
    }
  }

  void section(const ConfigEntry& section) {
    for (const ConfigEntry* entry : in_order(section.value.entries))
      key(section.name, "", *entry);
  }

  void key(const std::string& section, const std::string& before, const ConfigEntry& entry) {
    const std::string name = before + key_name(entry.name);
    if (entry.value.kind == ValueKind::table) {
      for (const ConfigEntry* inner : in_order(entry.value.entries))
        key(section, name + ".", *inner);
      return;
    }
    listing_.keys.push_back({section, name, toml_text(entry.value),
                             parts_[entry.place.file].source->path, entry.place.line});
  }

  UnitListing& listing_;
  std::span<const UnitPart> parts_;
};

}  // namespace

std::string toml_text(const ConfigValue& value) {
  switch (value.kind) {
    case ValueKind::text:
      return quoted(value.text);
    case ValueKind::integer:
      return value.octal && value.integer >= 0 ? octal_text(value.integer) : number_text(value);
    case ValueKind::decimal: {
      const std::string text = shown_number(value.decimal);
      return text.find_first_of(".en") == std::string::npos ? text + ".0" : text;
    }
    case ValueKind::boolean:
      return value.boolean ? "true" : "false";
    case ValueKind::moment:
      return "(a date or time)";
    case ValueKind::array:
      return "[" + joined(value.items, toml_text) + "]";
    case ValueKind::table:
      break;
  }
  const auto entry_text = [](const ConfigEntry& entry) {
    return key_name(entry.name) + " = " + toml_text(entry.value);
  };
  return value.entries.empty() ? "{}" : "{ " + joined(value.entries, entry_text) + " }";
}

Result<UnitListing> list_unit(const std::vector<SourceFile>& sources, std::string_view name) {
  const UnitCatalog catalog(sources);
  const std::string what = "show " + std::string(name);
  if (catalog.masked(name)) {
    const std::string& path = sources[catalog.find(name)->base].path;
    return failure(what, "it is masked: " + path + " has no content");
  }
  if (!catalog.provides(name)) return failure(what, "there is no file for it");
  UnitListing listing;
  listing.name = name;
  std::vector<UnitDocument> documents;
  std::vector<UnitPart> parts;
  const UnitCatalog::Files files = catalog.files_of(name);
  documents.reserve(files.sources.size());
  for (const size_t source : files.sources) {
    const UnitDocument& document = documents.emplace_back(parse_document(sources[source]));
    parts.push_back({&sources[source], &document});
    listing.files.push_back(sources[source].path);
    std::ranges::copy(document.diagnostics, std::back_inserter(listing.diagnostics));
  }
  ConfigValue document = merged_document(parts);
  // What is no specifier stays as it was written; check says so.
  Findings findings = findings_for(parts);
  if (!is_template_name(name)) expand_specifiers(document, name, findings);
  Lister(listing, parts).document(document);
  return listing;
}

}  // namespace foster
