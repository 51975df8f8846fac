#include "common/unit/unit_assembly.hpp"

#include <algorithm>

#include "common/unit/specifiers.hpp"

namespace foster {
namespace {

/// Nothing has to be changed in most documents, so most are never copied.
bool as_it_stands(std::span<const UnitPart> parts) {
  return parts.size() == 1 && !parts[0].source->text.contains('%');
}

void sort_by_place(std::vector<Diagnostic>& diagnostics) {
  std::ranges::stable_sort(diagnostics, {}, [](const Diagnostic& diagnostic) {
    return std::tie(diagnostic.file, diagnostic.line, diagnostic.column);
  });
}

}  // namespace

Findings findings_for(std::span<const UnitPart> parts) {
  Findings findings(parts[0].source->path, parts[0].source->text);
  for (const UnitPart& part : parts.subspan(1))
    findings.add_source(part.source->path, part.source->text);
  return findings;
}

ConfigValue merged_document(std::span<const UnitPart> parts) {
  ConfigValue document = parts[0].document->value;
  for (uint32_t i = 1; i < parts.size(); ++i)
    merge_drop_in(document, parts[i].document->value, i);
  return document;
}

AssembledUnit assemble_unit(std::string_view name, std::span<const UnitPart> parts,
                            FileRange of_template, bool complete) {
  AssembledUnit unit;
  Findings findings = findings_for(parts);
  const auto whole = [](const UnitPart& part) { return part.document->whole; };
  const bool readable = std::ranges::all_of(parts, whole);
  unit.built.of_template = of_template;
  unit.built.spec.name = name;
  if (as_it_stands(parts)) {
    build_unit(parts[0].document->value, readable && complete, unit.built, findings);
  } else {
    ConfigValue document = merged_document(parts);
    expand_specifiers(document, name, findings);
    build_unit(document, readable && complete, unit.built, findings);
  }
  unit.usable = readable && findings.empty();
  unit.diagnostics = findings.take();
  sort_by_place(unit.diagnostics);
  UnitSpec& spec = unit.built.spec;
  spec.file = parts[0].source->path;
  for (const UnitPart& part : parts.subspan(1))
    spec.drop_ins.push_back(part.source->path);
  return unit;
}

}  // namespace foster
