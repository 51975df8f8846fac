// Prints the KEYS section of the manual page foster.unit(5), in roff, from the table of keys.

#include <cstdio>
#include <string>

#include "common/unit/unit_keys.hpp"

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

void print_key(const foster::KeySpec& key) {
  std::printf(".TP\n.B %s\n", roff(key.name).c_str());
  std::printf("%s\n", roff(key.doc).c_str());
  std::printf(".br\nValue: %s.\n", roff(key.type).c_str());
  std::printf(".br\nDefault: %s.\n", roff(key.default_text).c_str());
}

}  // namespace

int main() {
  std::puts(".SH KEYS");
  for (const foster::SectionSpec& section : foster::unit_sections()) {
    const bool top = section.section == foster::Section::top;
    std::printf(".SS %s\n", top ? "Top of the file" : roff(section_text(section.section)).c_str());
    std::printf("%s\n", roff(section.doc).c_str());
    for (const foster::KeySpec& key : foster::unit_keys()) {
      if (key.section == section.section) print_key(key);
    }
  }
  return std::fflush(stdout) == 0 ? 0 : 1;
}
