// Collects what is found wrong with one unit: with its file and its drop-ins.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "common/unit/diagnostic.hpp"
#include "common/unit/source_text.hpp"

namespace foster {

class Findings {
 public:
  /// Both must outlive it.
  Findings(std::string_view path, std::string_view text) { add_source(path, text); }

  /// The next text that places may lie in, by Place::file.
  void add_source(std::string_view path, std::string_view text) {
    sources_.push_back({path, text});
  }

  void report(Place place, std::string message) {
    const Source& source = sources_[place.file];
    diagnostics_.push_back(diagnostic_at(source.path, source.text, place, std::move(message)));
  }
  void add(std::vector<Diagnostic> more) {
    for (Diagnostic& diagnostic : more)
      diagnostics_.push_back(std::move(diagnostic));
  }

  [[nodiscard]] bool empty() const { return diagnostics_.empty(); }
  [[nodiscard]] size_t size() const { return diagnostics_.size(); }
  /// The whole text that the place lies in.
  [[nodiscard]] std::string_view text(Place place) const { return sources_[place.file].text; }
  [[nodiscard]] std::vector<Diagnostic> take() { return std::move(diagnostics_); }

 private:
  struct Source {
    std::string_view path;
    std::string_view text;
  };

  std::vector<Source> sources_;
  std::vector<Diagnostic> diagnostics_;
};

}  // namespace foster
