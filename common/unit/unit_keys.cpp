#include "common/unit/unit_keys.hpp"

#include <array>

#include "common/unit/key_tables.hpp"

namespace foster {
namespace {

constexpr std::array kSections{
    SectionSpec{Section::top, "", "Keys before the first section."},
    SectionSpec{Section::service, "service", "What is run, as whom, and with which environment."},
    SectionSpec{
        Section::socket, "socket",
        "A socket that foster opens before the service is started, with its own rights, and keeps "
        "while the unit is wanted up: over restarts of the service, a crash of foster's manager "
        "and "
        "its upgrade. There may be several. The service finds them at its descriptors from 3 on, "
        "in "
        "their order, as LISTEN_FDS, LISTEN_FDNAMES and LISTEN_PID say (sd_listen_fds(3))."},
    SectionSpec{Section::depends, "depends",
                "What the unit has to do with other units. A name with a - in front may be that of "
                "no unit."},
    SectionSpec{
        Section::ready, "ready",
        "How the service shows that it is ready: others that need it are started only then. "
        "One of the keys that say how, for a service whose type does not say it already."},
    SectionSpec{Section::health, "health",
                "Whether a service that is up still does its work, and what happens when not."},
    SectionSpec{Section::hooks, "hooks",
                "Commands round the life of the service, with its user and environment. Each key "
                "takes a command, or an array of commands that run one after another; the first "
                "that fails is the last."},
    SectionSpec{Section::restart, "restart",
                "What happens when the service ends without having been asked to."},
    SectionSpec{Section::stop, "stop", "How the service is stopped."},
    SectionSpec{Section::timer, "timer",
                "When the unit is started by the clock. If it still runs at that time it is left "
                "alone."},
    SectionSpec{
        Section::conditions, "conditions",
        "What must hold for a start, each a string or an array of strings of which all must "
        "hold; a ! in front turns one round. If one does not hold the start is skipped, "
        "which is no failure."},
};

std::vector<KeySpec> all_keys() {
  std::vector<KeySpec> keys;
  for (const auto part : {service_keys(), descriptor_keys(), socket_keys(), depends_keys(),
                          check_keys(), hook_keys(), restart_keys(), activation_keys()})
    keys.insert(keys.end(), part.begin(), part.end());
  return keys;
}

}  // namespace

std::span<const SectionSpec> unit_sections() {
  return kSections;
}

std::span<const KeySpec> unit_keys() {
  static const std::vector<KeySpec> keys = all_keys();
  return keys;
}

bool repeats(Section section) {
  return section == Section::socket;
}

const SectionSpec* find_section(std::string_view name) {
  for (const SectionSpec& section : kSections) {
    if (section.section != Section::top && section.name == name) return &section;
  }
  return nullptr;
}

const KeySpec* find_key(Section section, std::string_view name) {
  for (const KeySpec& key : unit_keys()) {
    if (key.section == section && key.name == name) return &key;
  }
  return nullptr;
}

std::string_view section_text(Section section) {
  switch (section) {
    case Section::top:
      return "the top of the file";
    case Section::service:
      return "[service]";
    case Section::socket:
      return "[[socket]]";
    case Section::depends:
      return "[depends]";
    case Section::ready:
      return "[ready]";
    case Section::health:
      return "[health]";
    case Section::hooks:
      return "[hooks]";
    case Section::restart:
      return "[restart]";
    case Section::stop:
      return "[stop]";
    case Section::timer:
      return "[timer]";
    case Section::conditions:
      return "[conditions]";
  }
  return "";
}

}  // namespace foster
