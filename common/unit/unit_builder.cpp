#include "common/unit/unit_builder.hpp"

#include <algorithm>
#include <array>
#include <optional>
#include <vector>

#include "common/nearest_word.hpp"
#include "common/unit/descriptor_name.hpp"
#include "common/unit/given_keys.hpp"
#include "common/unit/key_checks.hpp"
#include "common/unit/unit_keys.hpp"
#include "common/unit/unit_name.hpp"

namespace foster {
namespace {

/// "`delay` in [restart]", "`description` at the top of the file".
std::string key_and_section(const KeySpec& key) {
  return backticked_text(key.name) + (key.section == Section::top ? " at " : " in ") +
         std::string(section_text(key.section));
}

/// A key's name without what people write differently: "WorkingDirectory", "working_directory".
std::string plain(std::string_view name) {
  std::string letters;
  for (const char c : name) {
    if (c == '-' || c == '_') continue;
    letters += c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  }
  return letters;
}

bool has_other_name(const KeySpec& key, const std::string& wanted) {
  std::string_view names = key.other_names;
  while (!names.empty()) {
    const size_t end = std::min(names.find(' '), names.size());
    if (plain(names.substr(0, end)) == wanted) return true;
    names.remove_prefix(std::min(end + 1, names.size()));
  }
  return false;
}

/// The key that `wrong` was meant to be: one of the same section first, whatever it is called
/// there.
const KeySpec* meant_key(Section section, std::string_view wrong) {
  const std::string wanted = plain(wrong);
  std::vector<std::string_view> here;
  std::vector<std::string_view> everywhere;
  const KeySpec* elsewhere = nullptr;
  bool elsewhere_same = false;  // its name is the one wanted, not one of its other names
  for (const KeySpec& key : unit_keys()) {
    const bool same = plain(key.name) == wanted;
    const bool other = has_other_name(key, wanted);
    if (key.section == section && (same || other)) return &key;
    if (same && (elsewhere == nullptr || !elsewhere_same)) elsewhere = &key;
    if (other && elsewhere == nullptr) elsewhere = &key;
    elsewhere_same = elsewhere_same || same;
    if (key.section == section) here.push_back(key.name);
    everywhere.push_back(key.name);
  }
  if (elsewhere != nullptr) return elsewhere;
  if (const std::string_view near = nearest_word(wrong, here); !near.empty())
    return find_key(section, near);
  const std::string_view near = nearest_word(wrong, everywhere);
  const auto found = std::ranges::find(unit_keys(), near, &KeySpec::name);
  return near.empty() ? nullptr : &*found;
}

std::string section_names() {
  std::string names;
  for (const SectionSpec& section : unit_sections()) {
    if (section.section == Section::top) continue;
    if (!names.empty()) names += ", ";
    names += section_text(section.section);
  }
  return names;
}

std::string key_names(Section section) {
  std::string names;
  for (const KeySpec& key : unit_keys()) {
    if (key.section != section) continue;
    if (!names.empty()) names += ", ";
    names += backticked_text(key.name);
  }
  return names;
}

class Builder {
 public:
  Builder(BuiltUnit& unit, Findings& findings) : unit_(unit), findings_(findings) {}

  void document(const ConfigValue& document) {
    for (const ConfigEntry& entry : document.entries) {
      const SectionSpec* section = find_section(entry.name);
      if (section == nullptr) {
        take_key(Section::top, entry, given_);
      } else if (repeats(section->section)) {
        take_sockets(entry);
      } else {
        take_section(*section, entry);
      }
    }
  }

  void check_presence() {
    if (service_unusable_ || given_.find(Section::service, "command") != nullptr) return;
    const bool needless =
        unit_.spec.type == ServiceType::group || given_.refused(Section::service, "type");
    if (needless) return;
    if (!service_) {
      findings_.report({1, 1, 1},
                       "no [service] section: a unit needs one, with at least a `command`");
    } else if (!command_misspelt_) {  // said already, with the right word
      findings_.report(*service_,
                       "[service] needs a `command`, such as command = [\"/usr/bin/program\", "
                       "\"argument\"]");
    }
  }

  [[nodiscard]] const GivenKeys& given() const { return given_; }
  [[nodiscard]] std::span<const GivenSocket> sockets() const { return sockets_; }

 private:
  void take_section(const SectionSpec& section, const ConfigEntry& entry) {
    const std::string name(section_text(section.section));
    if (section.section == Section::service) {
      service_ = entry.value.place;
      service_unusable_ = entry.value.kind != ValueKind::table;
    }
    if (entry.value.kind == ValueKind::table) {
      for (const ConfigEntry& key : entry.value.entries)
        take_key(section.section, key, given_);
    } else if (entry.value.repeated_table) {
      findings_.report(entry.value.place, "a unit has one section " + name + ": write " + name +
                                              ", not [" + name + "]");
    } else {
      findings_.report(entry.place, backticked_text(section.name) + " is a section: write " + name +
                                        " on a line of its own and its keys below");
    }
  }

  void take_sockets(const ConfigEntry& entry) {
    const ConfigValue& value = entry.value;
    const auto is_table = [](const ConfigValue& item) { return item.kind == ValueKind::table; };
    if (value.kind == ValueKind::array && std::ranges::all_of(value.items, is_table)) {
      for (const ConfigValue& item : value.items)
        take_socket(item);
      return;
    }
    findings_.report(
        value.kind == ValueKind::table ? value.place : entry.place,
        "a unit may have several sockets: write [[socket]], and the keys of one below");
    if (value.kind == ValueKind::table) take_socket(value);
  }

  void take_socket(const ConfigValue& table) {
    SocketSpec& socket = unit_.spec.descriptors.make().sockets.emplace_back();
    socket.place = table.place;
    socket.name = descriptor_name_of(unit_.spec.name);
    GivenSocket given{table.place, {}};
    for (const ConfigEntry& key : table.entries)
      take_key(Section::socket, key, given.keys);
    sockets_.push_back(std::move(given));
  }

  void take_key(Section section, const ConfigEntry& entry, GivenKeys& given) {
    const KeySpec* key = find_key(section, entry.name);
    if (key == nullptr) return unknown(section, entry);
    const size_t before = findings_.size();
    key->set({*key, entry, unit_.spec, findings_, unit_.instances});
    if (of_templates(*key, entry)) check_template(entry);
    given.add({key, &entry, findings_.size() == before});
  }

  /// Whether only a template can have the key, as it is.
  static bool of_templates(const KeySpec& key, const ConfigEntry& entry) {
    if (key.section == Section::socket) return key.name == "accept" && entry.value.boolean;
    return key.section == Section::top && key.name == "instances";
  }

  void check_template(const ConfigEntry& entry) {
    if (unit_.of_template.contains(entry.place.file)) return;
    const std::string name = backticked_text(entry.name);
    findings_.report(entry.place,
                     unit_.of_template.end > 0
                         ? name + " is for the template's own file and drop-ins"
                         : name + " is for templates, whose names end in @, such as worker@.toml");
  }

  void unknown(Section section, const ConfigEntry& entry) {
    const bool is_section = section == Section::top &&
                            (entry.value.kind == ValueKind::table || entry.value.repeated_table);
    if (is_section) return unknown_section(entry);
    std::string message = "unknown key " + backticked_text(entry.name);
    message += section == Section::top ? " before the first section"
                                       : " in " + std::string(section_text(section));
    if (const KeySpec* meant = meant_key(section, entry.name)) {
      command_misspelt_ = command_misspelt_ || meant->name == "command";
      message +=
          "; did you mean " +
          (meant->section == section ? backticked_text(meant->name) : key_and_section(*meant)) +
          "?";
    } else {
      message += "; known here: " + key_names(section);
    }
    findings_.report(entry.place, std::move(message));
  }

  void unknown_section(const ConfigEntry& entry) {
    std::vector<std::string_view> names;
    for (const SectionSpec& section : unit_sections())
      names.push_back(section.name);
    std::string message = "unknown section [" + shortened_text(entry.name) + "]; ";
    if (const std::string_view near = nearest_word(entry.name, names); !near.empty()) {
      message += "did you mean " + std::string(section_text(find_section(near)->section)) + "?";
    } else {
      message += "known sections: " + section_names();
    }
    findings_.report(entry.place, std::move(message));
  }

  BuiltUnit& unit_;
  bool command_misspelt_ = false;
  Findings& findings_;
  std::optional<Place> service_;
  bool service_unusable_ = false;  // it is no table, which has been said
  GivenKeys given_;
  std::vector<GivenSocket> sockets_;
};

}  // namespace

void build_unit(const ConfigValue& document, bool whole, BuiltUnit& unit, Findings& findings) {
  Builder builder(unit, findings);
  builder.document(document);
  if (!whole) return;
  builder.check_presence();
  check_keys_together(unit.spec, builder.given(), builder.sockets(), findings);
}

}  // namespace foster
