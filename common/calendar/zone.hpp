// Zones of time, by the C library.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace foster::calendar {

/// Whether the system's database has a zone of that name.
[[nodiscard]] bool known_zone(std::string_view name);

/// One at a time: for a named zone it sets $TZ, and puts it back at its end. The C library has no
/// other way to ask for a zone.
class Zone {
 public:
  /// "UTC", a name of the database, or empty for the local zone.
  explicit Zone(const std::string& name);
  ~Zone();
  Zone(const Zone&) = delete;
  Zone& operator=(const Zone&) = delete;

  /// What is to be added to that time for the civil time.
  [[nodiscard]] int64_t offset_us(int64_t real_us) const;
  [[nodiscard]] std::string abbreviation(int64_t real_us) const;

  struct Change {
    int64_t at_us;  // the first time with the offset `after_us`
    int64_t before_us;
    int64_t after_us;
  };
  /// The change of offset within a day before or after that time.
  [[nodiscard]] std::optional<Change> change_near(int64_t real_us) const;

 private:
  bool utc_;
  bool named_;
  std::optional<std::string> former_;  // $TZ
};

}  // namespace foster::calendar
