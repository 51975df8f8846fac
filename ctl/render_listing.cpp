#include "ctl/render_listing.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "ctl/printable.hpp"

namespace foster::ctl {
namespace {

// Longer lines do not push the comments of all others to the right.
constexpr size_t kCommentColumnMax = 48;

std::string assignment(const ListedKey& key) {
  return printable(key.key) + " = " + printable(key.value);
}

size_t comment_column(const UnitListing& listing) {
  size_t column = 0;
  for (const ListedKey& key : listing.keys) {
    const size_t width = display_width(assignment(key));
    if (width <= kCommentColumnMax) column = std::max(column, width);
  }
  return column;
}

}  // namespace

std::string render_listing(const UnitListing& listing) {
  std::string text = "# " + printable(listing.name) + "\n";
  for (const std::string& file : listing.files)
    text += "# " + printable(file) + "\n";
  const size_t column = comment_column(listing);
  std::string section;
  for (const ListedKey& key : listing.keys) {
    if (key.section != section || key.begins) text += "\n[" + printable(key.section) + "]\n";
    section = key.section;
    const std::string line = assignment(key);
    const size_t width = display_width(line);
    text += line + std::string(width < column ? column - width : 0, ' ') +
            fmt::format("  # {}:{}\n", printable(key.file), key.line);
  }
  return text;
}

}  // namespace foster::ctl
