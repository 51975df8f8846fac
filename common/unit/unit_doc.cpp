#include "common/unit/unit_doc.hpp"

#include "common/unit/unit_keys.hpp"

namespace foster {
namespace {

/// Text as roff takes it literally: a hyphen that can be copied, no escapes, no request at a line's
/// start.
std::string roff(std::string_view text) {
  std::string escaped;
  if (text.starts_with('.') || text.starts_with('\'')) escaped = "\\&";
  for (const char c : text) {
    if (c == '\\') {
      escaped += "\\e";
    } else if (c == '-') {
      escaped += "\\-";
    } else if (c == '~') {
      escaped += "\\(ti";
    } else if (c == '^') {
      escaped += "\\(ha";
    } else {
      escaped += c;
    }
  }
  return escaped;
}

std::string key_entry(const KeySpec& key) {
  return ".TP\n.B " + roff(key.name) + "\n" + roff(key.doc) + "\n.br\nValue: " + roff(key.type) +
         ".\n.br\nDefault: " + roff(key.default_text) + ".\n";
}

}  // namespace

std::string unit_keys_roff() {
  std::string text = ".SH KEYS\n";
  for (const SectionSpec& section : unit_sections()) {
    const bool top = section.section == Section::top;
    text += ".SS " + (top ? "Top of the file" : roff(section_text(section.section))) + "\n";
    text += roff(section.doc) + "\n";
    for (const KeySpec& key : unit_keys()) {
      if (key.section == section.section) text += key_entry(key);
    }
  }
  return text;
}

}  // namespace foster
