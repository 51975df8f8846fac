#include <algorithm>

#include "common/calendar/calendar.hpp"
#include "common/calendar/civil_time.hpp"
#include "common/calendar/fields.hpp"
#include "common/calendar/zone.hpp"

namespace foster {
namespace {

using calendar::first_civil;
using calendar::Zone;

bool every_hour(const Calendar& calendar) {
  return calendar.hour.empty() || std::ranges::any_of(calendar.hour, [](const CalendarPart& hours) {
           return hours.start == 0 && hours.step == 1 &&
                  (hours.stop < 0 || hours.stop == calendar::kHours.last);
         });
}

/// Steps from one civil time of the event to the next, and turns each into the first real time at
/// which clocks show it.
class FirstPasses {
 public:
  FirstPasses(const Calendar& calendar, const Zone& zone) : calendar_(calendar), zone_(zone) {}

  /// The first later than `after_us`, looked for among civil times from `from_civil_us` on.
  std::optional<int64_t> next(int64_t from_civil_us, int64_t after_us) const {
    for (auto civil = first_civil(calendar_, from_civil_us); civil;) {
      // No offset is as much as a day, so this is never more than a day off.
      const auto change = zone_.change_near(*civil - zone_.offset_us(*civil));
      if (!change) {
        const int64_t real = *civil - zone_.offset_us(*civil);
        if (real > after_us) return real;
        civil = first_civil(calendar_, *civil + 1);
        continue;
      }
      const bool left_out =
          *civil >= change->at_us + change->before_us && *civil < change->at_us + change->after_us;
      if (left_out) {
        civil = first_civil(calendar_, change->at_us + change->after_us);
        continue;
      }
      const bool before = *civil < change->at_us + change->before_us;
      const int64_t real = *civil - (before ? change->before_us : change->after_us);
      if (real > after_us) return real;
      // Only in the hour that is there twice: on to its end, not through all of it.
      const bool twice = before && after_us >= change->at_us;
      civil = first_civil(calendar_, twice ? change->at_us + change->before_us : *civil + 1);
    }
    return std::nullopt;
  }

 private:
  const Calendar& calendar_;
  const Zone& zone_;
};

/// The first in the second pass through an hour that is there twice, if we are near one.
std::optional<int64_t> second_pass(const Calendar& calendar, const Zone& zone, int64_t after_us) {
  const auto change = zone.change_near(after_us);
  if (!change || change->before_us <= change->after_us) return std::nullopt;
  const int64_t from = std::max(change->at_us, after_us + 1);
  const auto civil = first_civil(calendar, from + change->after_us);
  if (!civil || *civil >= change->at_us + change->before_us) return std::nullopt;
  return *civil - change->after_us;
}

}  // namespace

std::optional<int64_t> next_elapse(const Calendar& calendar, int64_t after_us) {
  const Zone zone(calendar.zone);
  const FirstPasses passes(calendar, zone);
  std::optional<int64_t> best = passes.next(after_us + zone.offset_us(after_us) + 1, after_us);
  if (!every_hour(calendar)) return best;
  const auto again = second_pass(calendar, zone, after_us);
  return again && (!best || *again < *best) ? again : best;
}

}  // namespace foster
