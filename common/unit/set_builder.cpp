#include "common/unit/set_builder.hpp"

#include <algorithm>
#include <tuple>
#include <unordered_map>

#include "common/nearest_word.hpp"
#include "common/unit/connection_units.hpp"
#include "common/unit/listen_check.hpp"
#include "common/unit/unit_name.hpp"

namespace foster {
namespace {

// A template whose instances name further ones would go on for ever.
constexpr size_t kReferencedMax = 10'000;

auto order_of(const Diagnostic& diagnostic) {
  return std::tie(diagnostic.file, diagnostic.line, diagnostic.column);
}

/// In order of place, each once: several instances of one template may have the same to say.
void tidy(std::vector<Diagnostic>& diagnostics) {
  std::ranges::stable_sort(diagnostics, {}, order_of);
  const auto same = [](const Diagnostic& one, const Diagnostic& other) {
    return order_of(one) == order_of(other) && one.message == other.message;
  };
  const auto again = std::ranges::unique(diagnostics, same);
  diagnostics.erase(again.begin(), again.end());
}

}  // namespace

SetBuilder::SetBuilder(std::span<const SourceFile> sources, std::vector<Diagnostic> unreadable,
                       const SetOptions& options)
    : sources_(sources), options_(options), catalog_(sources), documents_(sources.size()) {
  checked_.diagnostics = std::move(unreadable);
  others_.partial = options.partial;
}

CheckedSet SetBuilder::build() {
  for (const size_t source : catalog_.stray())
    stray_file(source);
  report_all(catalog_.diagnostics());
  for (const auto& [name, entry] : catalog_.entries())
    this->entry(name, entry);
  make_referenced();
  for (const std::string& name : awaiting_)
    judge_unmade(name);
  std::ranges::sort(units_, {}, &UnitSpec::name);
  check_together();
  quote_lines();
  tidy(checked_.diagnostics);
  if (checked_.diagnostics.empty())
    checked_.set = std::make_shared<const UnitSet>(std::move(units_));
  return std::move(checked_);
}

const UnitDocument& SetBuilder::document(size_t source) {
  std::optional<UnitDocument>& document = documents_[source];
  if (!document) {
    document = parse_document(sources_[source]);
    report_all(document->diagnostics);
  }
  return *document;
}

std::vector<UnitPart> SetBuilder::parts_of(const UnitCatalog::Files& files) {
  std::vector<UnitPart> parts;
  parts.reserve(files.sources.size());
  for (const size_t source : files.sources)
    parts.push_back({&sources_[source], &document(source)});
  return parts;
}

AssembledUnit SetBuilder::assemble(const std::string& name) {
  const UnitCatalog::Files files = catalog_.files_of(name);
  const std::vector<UnitPart> parts = parts_of(files);
  if (parts[0].document->unreadable) return {};
  return assemble_unit(name, parts, files.of_template);
}

/// A file that makes no unit is judged all the same, so that all its mistakes are told at once.
void SetBuilder::stray_file(size_t source) {
  report_all(parse_unit(sources_[source]).diagnostics);
}

void SetBuilder::entry(const std::string& name, const UnitCatalog::Entry& entry) {
  if (entry.masked) {
    others_.masked.insert(name);
  } else if (entry.base == UnitCatalog::kNone && catalog_.has_template_for(name)) {
    awaiting_.push_back(name);
  } else if (entry.base == UnitCatalog::kNone) {
    orphan_drop_ins(name, entry);
  } else if (is_template_name(name)) {
    make_template(name);
  } else {
    make_unit(name, Asked::by_file);
  }
}

void SetBuilder::orphan_drop_ins(const std::string& owner, const UnitCatalog::Entry& entry) {
  for (const size_t source : entry.drop_ins) {
    const UnitPart part{&sources_[source], &document(source)};
    const FileRange none;
    if (!part.document->unreadable)
      report_all(assemble_unit(owner, std::span(&part, 1), none, false).diagnostics);
    if (options_.partial) continue;
    std::vector<std::string_view> names;
    for (const auto& [name, other] : catalog_.entries())
      if (other.base != UnitCatalog::kNone) names.push_back(name);
    const std::string_view near = nearest_word(owner, names);
    report(sources_[source].path,
           "a drop-in for " + quoted_text(owner) + ", and there is no such unit" +
               (near.empty() ? "" : "; did you mean \"" + std::string(near) + "\"?"));
  }
}

std::vector<std::string> SetBuilder::instance_names(const std::string& maker,
                                                    const BuiltUnit& probe) const {
  const auto count = options_.instances.find(prefix_of(maker));
  std::vector<std::string> names;
  if (count != options_.instances.end()) {
    for (uint32_t i = 1; i <= count->second; ++i)
      names.push_back(maker + std::to_string(i));
  } else {
    for (const std::string& instance : probe.instances)
      names.push_back(maker + instance);
  }
  return names;
}

void SetBuilder::make_template(const std::string& maker) {
  const UnitCatalog::Files files = catalog_.files_of(maker);
  const std::vector<UnitPart> parts = parts_of(files);
  AssembledUnit probe;
  if (!parts[0].document->unreadable) probe = assemble_unit(maker + "1", parts, files.of_template);
  const std::vector<std::string> names = instance_names(maker, probe.built);
  // Judged by the first of its instances, so that a mistake is told once and not for each.
  if (!names.empty() && names.front() != maker + "1" && !parts[0].document->unreadable)
    probe = assemble_unit(names.front(), parts, files.of_template);
  checked_.templates.emplace_back(prefix_of(maker));
  others_.templates.insert(maker);
  if (!probe.usable) {
    refuse(maker, std::move(probe), true);
    return;
  }
  if (accepts_connections(probe.built.spec)) return make_listener(maker, probe.built.spec);
  placeholders_.push_back({maker, std::move(probe.built.spec)});
  for (const std::string& name : names)
    if (!catalog_.masked(name)) make_unit(name, Asked::by_file);
}

void SetBuilder::make_listener(const std::string& maker, const UnitSpec& instance) {
  made_.insert(maker);
  units_.push_back(listener_of(instance, maker));
  uint32_t count = connections_max(units_.back());
  // Of a former set there may be more that are still to be stopped.
  const auto chosen = options_.instances.find(prefix_of(maker));
  if (chosen != options_.instances.end()) count = std::max(count, chosen->second);
  for (uint32_t i = 1; i <= count; ++i) {
    const std::string name = maker + std::to_string(i);
    if (!catalog_.masked(name)) make_unit(name, Asked::by_file);
  }
}

void SetBuilder::make_unit(const std::string& name, Asked asked) {
  if (!made_.insert(name).second) return;
  AssembledUnit unit = assemble(name);
  if (std::string mistake = unit_name_mistake(name); !mistake.empty()) {
    report(unit.built.spec.file, std::move(mistake));
    return;
  }
  if (!unit.usable) return refuse(name, std::move(unit), false);
  UnitSpec& spec = unit.built.spec;
  if (accepts_connections(spec)) serve_connections(spec);
  if (asked == Asked::by_reference) spec.enabled = false;
  for (const NamedReference& named : references_of(spec)) {
    const std::string& other = named.reference->name;
    if (!made_.contains(other) && !catalog_.masked(other) && catalog_.has_template_for(other))
      referenced_.push_back(other);
  }
  units_.push_back(std::move(spec));
}

/// An instance whose template has no mistake for the first of them says which instance it is.
void SetBuilder::refuse(const std::string& name, AssembledUnit unit, bool told_before) {
  others_.broken.insert(name);
  const bool instance = !told_before && catalog_.has_template_for(name);
  for (Diagnostic& diagnostic : unit.diagnostics)
    if (instance) diagnostic.message += " (as " + name + ")";
  report_all(std::move(unit.diagnostics));
  refused_.push_back(std::move(unit.built.spec));
}

void SetBuilder::make_referenced() {
  size_t count = 0;
  // The list grows while it is worked off.
  for (size_t i = 0; i < referenced_.size(); ++i) {
    const std::string name = referenced_[i];
    if (made_.contains(name) || others_.broken.contains(template_of(name))) continue;
    if (++count > kReferencedMax) {
      report(sources_[catalog_.find(template_of(name))->base].path,
             "other units name more than " + std::to_string(kReferencedMax) +
                 " instances of templates");
      return;
    }
    make_unit(name, Asked::by_reference);
  }
}

/// Drop-ins of an instance that nobody asks for at present.
void SetBuilder::judge_unmade(const std::string& name) {
  if (made_.contains(name) || others_.broken.contains(template_of(name))) return;
  AssembledUnit unit = assemble(name);
  report_all(std::move(unit.diagnostics));
  refused_.push_back(std::move(unit.built.spec));
}

void SetBuilder::check_together() {
  const Graph graph(units_);
  report_all(check_graph(units_, graph, others_));
  report_all(check_listening(units_, graph));
  for (const UnitSpec& unit : refused_)
    report_all(check_references(unit, units_, others_));
  for (const Placeholder& placeholder : placeholders_) {
    const auto from_it = [&](const UnitSpec& unit) {
      return template_of(unit.name) == placeholder.maker;
    };
    if (std::ranges::any_of(units_, from_it)) continue;
    report_all(check_references(placeholder.unit, units_, others_));
  }
}

/// Those who check units together know places, but not texts.
void SetBuilder::quote_lines() {
  std::unordered_map<std::string_view, std::string_view> texts;
  for (Diagnostic& diagnostic : checked_.diagnostics) {
    if (diagnostic.line == 0 || !diagnostic.source_line.empty()) continue;
    if (texts.empty())
      for (const SourceFile& source : sources_)
        texts.emplace(source.path, source.text);
    const auto text = texts.find(diagnostic.file);
    if (text != texts.end()) diagnostic.source_line = line_of(text->second, diagnostic.line);
  }
}

void SetBuilder::report(std::string_view file, std::string message) {
  Diagnostic diagnostic;
  diagnostic.file = file;
  diagnostic.message = std::move(message);
  checked_.diagnostics.push_back(std::move(diagnostic));
}

void SetBuilder::report_all(std::vector<Diagnostic> diagnostics) {
  for (Diagnostic& diagnostic : diagnostics)
    checked_.diagnostics.push_back(std::move(diagnostic));
}

}  // namespace foster
