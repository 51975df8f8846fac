// Events as lines, for people or as JSON, and what the follower itself has to say among them.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "common/region/layout.h"
#include "common/region/reader.hpp"
#include "ctl/arguments.hpp"
#include "ctl/session.hpp"
#include "ctl/words.hpp"

namespace foster::ctl {

/// What the daemon's own events are shown under, and may be asked for with.
inline constexpr char kDaemonName[] = "foster";

/// Takes each event of a ring once.
class EventCursor {
 public:
  struct Batch {
    std::vector<foster_event> events;  // oldest first
    bool broken = false;  // some were overwritten unseen, or another daemon's ring begins
  };

  [[nodiscard]] Batch take(const region::Reader& reader);

  /// What is in the ring at this moment is not to be taken.
  void skip(const region::Reader& reader);

 private:
  uint64_t next_ = 0;   // 0: whatever there is
  int64_t daemon_ = 0;  // when the daemon was started whose ring this is
};

class EventPrinter {
 public:
  EventPrinter(Session& session, const Arguments& arguments);

  /// About a unit that was named, or no names were given.
  [[nodiscard]] bool concerns(const foster_event& event) const;

  /// `kind` is what JSON calls it.
  void show(const foster_event& event, std::string_view kind);
  void show(const foster_event& event) { show(event, event_word(event.kind)); }

  /// Something about the daemon that no event tells.
  void remark(std::string_view kind, std::string_view text);

 private:
  Session& session_;
  const Arguments& arguments_;
  RenderOptions options_;
};

}  // namespace foster::ctl
