#include "common/unit/unit_parser.hpp"

#include <algorithm>
#include <expected>

#include "common/unit/config_value.hpp"
#include "common/unit/findings.hpp"
#include "common/unit/toml_syntax.hpp"
#include "common/unit/unit_builder.hpp"
#include "common/unit/unit_name.hpp"

// toml++ 3.3 asserts that a table's name begins with a letter where it should look, as in "[=]";
// without the assertion it goes on to say so in an error.
#define TOML_ASSERT(expression) static_assert(true)
#define TOML_ENABLE_FORMATTERS 0
#define TOML_ENABLE_WINDOWS_COMPAT 0
#define TOML_MAX_NESTED_VALUES 32  // kTomlNestingMax
#include <toml++/toml.h>

namespace foster {
namespace {

// More mistakes against TOML itself than these are not searched for in one file.
constexpr int kSyntaxMistakesMax = 20;

Place place_from(const toml::source_region& region) {
  Place place{region.begin.line, region.begin.column, 1};
  if (region.end.line == region.begin.line && region.end.column > region.begin.column)
    place.length = region.end.column - region.begin.column;
  return place;
}

ConfigValue value_from(toml::node& node);

ConfigValue table_from(toml::table& table) {
  ConfigValue value;
  value.entries.reserve(table.size());
  for (auto&& [key, node] : table) {
    value.entries.push_back({std::string(key.str()), place_from(key.source()), value_from(node)});
  }
  return value;
}

ConfigValue array_from(toml::array& array) {
  ConfigValue value;
  value.kind = ValueKind::array;
  value.items.reserve(array.size());
  for (toml::node& node : array)
    value.items.push_back(value_from(node));
  value.repeated_table =
      array.is_array_of_tables() && array.begin()->source().begin == array.source().begin;
  return value;
}

ConfigValue scalar_from(toml::node& node) {
  ConfigValue value;
  if (auto* text = node.as_string()) {
    value.kind = ValueKind::text;
    value.text = std::move(text->get());
  } else if (auto* integer = node.as_integer()) {
    value.kind = ValueKind::integer;
    value.integer = integer->get();
    value.decimal = static_cast<double>(value.integer);
    value.octal =
        (integer->flags() & toml::value_flags::format_as_octal) != toml::value_flags::none;
  } else if (auto* decimal = node.as_floating_point()) {
    value.kind = ValueKind::decimal;
    value.decimal = decimal->get();
  } else if (auto* boolean = node.as_boolean()) {
    value.kind = ValueKind::boolean;
    value.boolean = boolean->get();
  } else {
    value.kind = ValueKind::moment;
  }
  return value;
}

ConfigValue value_from(toml::node& node) {
  ConfigValue value;
  if (auto* table = node.as_table()) {
    value = table_from(*table);
  } else if (auto* array = node.as_array()) {
    value = array_from(*array);
  } else {
    value = scalar_from(node);
  }
  value.place = place_from(node.source());
  return value;
}

std::expected<ConfigValue, SyntaxMistake> read_toml(std::string_view text) {
  toml::parse_result result = toml::parse(text);
  if (result.failed()) {
    const toml::parse_error& error = result.error();
    return std::unexpected(
        SyntaxMistake{place_from(error.source()), std::string(error.description())});
  }
  return value_from(result.table());
}

/// Blanks out lines, so that everything behind them keeps its place.
void leave_out(std::string& text, size_t begin, size_t end) {
  for (size_t at = begin; at < end; ++at) {
    if (text[at] != '\n') text[at] = ' ';
  }
}

bool all_blank(std::string_view text) {
  return text.find_first_not_of(" \t\r\n") == std::string_view::npos;
}

struct Document {
  ConfigValue value;
  bool whole = true;  // nothing had to be left out
};

/// Reads what can be read. Each mistake against TOML is reported, its statement left out, and the
/// rest read again.
Document read_document(std::string_view text, Findings& findings) {
  if (const std::optional<Place> deep = find_deep_key(text)) {
    findings.report(*deep, "a key with more than " + std::to_string(kTomlDotsMax) + " dots");
    return {{}, false};
  }
  std::expected<ConfigValue, SyntaxMistake> document = read_toml(text);
  if (document) return {std::move(*document), true};
  std::string rest(text);
  for (int count = 0; count < kSyntaxMistakesMax; ++count) {
    ExplainedMistake mistake = explain_syntax(rest, document.error());
    findings.report(mistake.place, std::move(mistake.message));
    const std::string_view broken =
        std::string_view(rest).substr(mistake.begin, mistake.end - mistake.begin);
    if (all_blank(broken)) break;
    leave_out(rest, mistake.begin, mistake.end);
    document = read_toml(rest);
    if (document) return {std::move(*document), false};
  }
  return {{}, false};
}

}  // namespace

ParsedUnit parse_unit(const SourceFile& source) {
  ParsedUnit parsed;
  Findings findings(source.path, source.text);
  Result<std::string> name = unit_name_of(source.path);
  if (!name) findings.report({}, name.error().message);
  std::vector<Diagnostic> unreadable = check_encoding(source.path, source.text);
  if (!unreadable.empty()) {
    findings.add(std::move(unreadable));
    parsed.diagnostics = findings.take();
    return parsed;
  }
  UnitSpec spec;
  const Document document = read_document(source.text, findings);
  build_unit(document.value, document.whole, spec, findings);
  if (findings.empty()) {
    spec.name = std::move(*name);
    spec.file = source.path;
    parsed.spec = std::move(spec);
  }
  parsed.diagnostics = findings.take();
  std::ranges::stable_sort(parsed.diagnostics, {}, [](const Diagnostic& diagnostic) {
    return std::pair(diagnostic.line, diagnostic.column);
  });
  return parsed;
}

}  // namespace foster
