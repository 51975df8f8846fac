#include "ctl/event_printer.hpp"

#include <algorithm>
#include <cstring>
#include <fnmatch.h>

#include "ctl/json.hpp"
#include "ctl/render.hpp"

namespace foster::ctl {

EventCursor::Batch EventCursor::take(const region::Reader& reader) {
  const foster_region_header header = reader.header();
  const bool other = daemon_ != 0 && header.daemon_started_boot_ns != daemon_;
  daemon_ = header.daemon_started_boot_ns;
  if (other) next_ = 0;
  Batch batch{.events = reader.events(next_), .broken = other};
  if (batch.events.empty()) return batch;
  if (next_ != 0 && batch.events.front().sequence > next_) batch.broken = true;
  next_ = batch.events.back().sequence + 1;
  return batch;
}

void EventCursor::skip(const region::Reader& reader) {
  const foster_region_header header = reader.header();
  daemon_ = header.daemon_started_boot_ns;
  next_ = std::max<uint64_t>(header.ring_head, 1);
}

EventPrinter::EventPrinter(Session& session, const Arguments& arguments)
    : session_(session),
      arguments_(arguments),
      options_(render_options(session.environment(), arguments)) {}

bool EventPrinter::concerns(const foster_event& event) const {
  const std::string name(field_text(event.name, sizeof event.name));
  const std::string shown = name.empty() ? kDaemonName : name;
  const auto means = [&](const std::string& pattern) {
    return pattern == shown || (!name.empty() && fnmatch(pattern.c_str(), name.c_str(), 0) == 0);
  };
  return arguments_.names.empty() || std::ranges::any_of(arguments_.names, means);
}

void EventPrinter::show(const foster_event& event, std::string_view kind) {
  session_.out().line(arguments_.json ? event_json(event, kind) : render_event(event, options_));
}

void EventPrinter::remark(std::string_view kind, std::string_view text) {
  foster_event event{};
  event.real_ns = wall_clock_ns();
  std::memcpy(event.text, text.data(), std::min(text.size(), sizeof event.text - 1));
  show(event, kind);
}

}  // namespace foster::ctl
