#include "ctl/held.hpp"

#include <algorithm>
#include <charconv>

#include "ctl/printable.hpp"

namespace foster::ctl {
namespace {

/// Cuts the text up to the next tab off its front.
std::string_view next_field(std::string_view& line) {
  const size_t tab = std::min(line.find('\t'), line.size());
  const std::string_view field = line.substr(0, tab);
  line.remove_prefix(std::min(tab + 1, line.size()));
  return field;
}

}  // namespace

std::optional<HeldEntry> parse_held(std::string_view unit, std::string_view line) {
  if (std::ranges::count(line, '\t') != 4) return std::nullopt;
  HeldEntry entry{.unit = std::string(unit)};
  entry.origin = next_field(line);
  entry.name = next_field(line);
  const std::string_view since = next_field(line);
  entry.from = next_field(line);
  entry.what = line;
  const auto [end, error] =
      std::from_chars(since.data(), since.data() + since.size(), entry.since_real_ns);
  if (error != std::errc{} || end != since.data() + since.size()) return std::nullopt;
  return entry;
}

std::string render_held(const std::vector<HeldEntry>& entries, const Clock& clock,
                        const RenderOptions& options) {
  const auto of_first = [&](const HeldEntry& entry) { return entry.unit == entries.front().unit; };
  const bool of_one = std::ranges::all_of(entries, of_first);
  Table table{"UNIT", "NAME", "ORIGIN", "SINCE", "FROM", "WHAT"};
  table.make_optional(0);
  for (const HeldEntry& entry : entries) {
    table.add(of_one ? "-" : printable(entry.unit));
    table.add(printable(entry.name));
    table.add(printable(entry.origin));
    table.add(age_text(Duration(clock.real_ns - entry.since_real_ns)));
    table.add(entry.from.empty() ? "-" : printable(entry.from));
    table.add(printable(entry.what));
  }
  return table.render(options);
}

}  // namespace foster::ctl
