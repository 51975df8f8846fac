#include <algorithm>
#include <array>
#include <expected>
#include <utility>

#include "common/calendar/calendar.hpp"
#include "common/calendar/civil_time.hpp"
#include "common/calendar/fields.hpp"
#include "common/calendar/normal_form.hpp"
#include "common/calendar/zone.hpp"
#include "common/nearest_word.hpp"

namespace foster {
namespace {

using calendar::FieldRange;
using calendar::kSecond;

constexpr size_t kNumberDigitsMax = 9;
constexpr size_t kFractionDigits = 6;
constexpr size_t kEpochDigitsMax = 11;
constexpr int32_t kTwoDigitYears = 100;
constexpr int32_t kFirstOfThisCentury = 70;  // "69" is 2069, "70" is 1970

struct Shorthand {
  std::string_view name;
  std::string_view meaning;
};

constexpr std::array kShorthands{
    Shorthand{"minutely", "*-*-* *:*:00"},
    Shorthand{"hourly", "*-*-* *:00:00"},
    Shorthand{"daily", "*-*-* 00:00:00"},
    Shorthand{"weekly", "Mon *-*-* 00:00:00"},
    Shorthand{"monthly", "*-*-01 00:00:00"},
    Shorthand{"quarterly", "*-01,04,07,10-01 00:00:00"},
    Shorthand{"semiannually", "*-01,07-01 00:00:00"},
    Shorthand{"semi-annually", "*-01,07-01 00:00:00"},
    Shorthand{"biannually", "*-01,07-01 00:00:00"},
    Shorthand{"bi-annually", "*-01,07-01 00:00:00"},
    Shorthand{"yearly", "*-01-01 00:00:00"},
    Shorthand{"annually", "*-01-01 00:00:00"},
};

constexpr std::array<std::string_view, 7> kDays{"Monday", "Tuesday",  "Wednesday", "Thursday",
                                                "Friday", "Saturday", "Sunday"};
constexpr size_t kShortDay = 3;

/// What is wrong, and with which piece of the text.
struct Mistake {
  std::string_view piece;  // of the text, so that its place follows; may be empty
  std::string message;
};
template <class T>
using Parsed = std::expected<T, Mistake>;

std::unexpected<Mistake> wrong(std::string_view piece, std::string message) {
  return std::unexpected(Mistake{piece, std::move(message)});
}

bool digit(char c) {
  return c >= '0' && c <= '9';
}

bool letter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

std::string lower(std::string_view word) {
  std::string text(word);
  for (char& c : text)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  return text;
}

/// The piece in front of `separator`, which is taken away with it; all when there is none.
std::string_view take_until(std::string_view& text, std::string_view separator) {
  const size_t end = text.find(separator);
  const std::string_view piece = text.substr(0, end);
  text.remove_prefix(end == std::string_view::npos ? text.size() : end + separator.size());
  return piece;
}

std::vector<std::string_view> words_of(std::string_view text) {
  std::vector<std::string_view> words;
  while (!text.empty()) {
    const std::string_view word = take_until(text, " ");
    if (!word.empty()) words.push_back(word);
  }
  return words;
}

/// A field of the event while it is read.
struct Field {
  const char* name;
  FieldRange range;
  bool seconds = false;
  bool year = false;
};

constexpr Field kYear{"year", calendar::kYears, false, true};
constexpr Field kMonth{"month", calendar::kMonths};
constexpr Field kDay{"day", calendar::kDays};
constexpr Field kHour{"hour", calendar::kHours};
constexpr Field kMinute{"minute", calendar::kMinutes};
constexpr Field kSecondField{"second", calendar::kSeconds, true};

int64_t unit_of(const Field& field) {
  return field.seconds ? kSecond : 1;
}

/// Digits after the point, rounded to microseconds.
Parsed<int64_t> fraction(std::string_view digits, std::string_view whole_piece) {
  if (digits.empty()) return wrong(whole_piece, "lacks a digit after the point");
  int64_t value = 0;
  for (size_t i = 0; i < kFractionDigits; ++i)
    value = value * 10 + (i < digits.size() ? digits[i] - '0' : 0);
  return value + (digits.size() > kFractionDigits && digits[kFractionDigits] >= '5' ? 1 : 0);
}

std::string lacks(const Field& field) {
  return std::string("lacks a number for the ") + field.name;
}

Parsed<int64_t> number(std::string_view piece, const Field& field) {
  std::string_view rest = piece;
  const std::string_view whole = take_until(rest, ".");
  const bool pointed = whole.size() < piece.size();
  const bool digits = std::ranges::all_of(whole, digit) && std::ranges::all_of(rest, digit);
  if (whole.empty()) return wrong(piece, lacks(field));
  if (!digits || (pointed && !field.seconds))
    return wrong(piece, std::string("is no ") + field.name);
  if (whole.size() > kNumberDigitsMax) return wrong(piece, "is too large");
  int64_t value = 0;
  for (const char c : whole)
    value = value * 10 + (c - '0');
  value *= unit_of(field);
  if (!pointed) return value;
  const auto after_point = fraction(rest, piece);
  if (!after_point) return after_point;
  return value + *after_point;
}

Parsed<int32_t> value(std::string_view piece, const Field& field) {
  auto found = number(piece, field);
  if (!found) return std::unexpected(found.error());
  if (field.year && *found < kTwoDigitYears) *found += *found < kFirstOfThisCentury ? 2000 : 1900;
  if (*found < field.range.first || *found > field.range.last) {
    const int64_t unit = unit_of(field);
    return wrong(piece, std::string("is no ") + field.name + ", which goes from " +
                            std::to_string(field.range.first / unit) + " to " +
                            std::to_string(field.range.last / unit));
  }
  return static_cast<int32_t>(*found);
}

/// The part of a field that `piece` is: "5", "1..5", "0/15", "1..9/2".
Parsed<CalendarPart> part(std::string_view piece, const Field& field, bool from_end) {
  CalendarPart result;
  std::string_view step = piece;
  std::string_view stop = take_until(step, "/");
  const bool stepped = stop.size() < piece.size();
  const std::string_view range = stop;
  const std::string_view start = take_until(stop, "..");
  const bool ranged = start.size() < range.size();
  const auto first = value(start, field);
  if (!first) return std::unexpected(first.error());
  result.start = *first;
  if (ranged) {
    const auto last = value(stop, field);
    if (!last) return std::unexpected(last.error());
    if (*last < *first) return wrong(range, "ends before it begins");
    if (*last == *first && !stepped) return result;
    result.stop = *last;
    result.step = static_cast<int32_t>(unit_of(field));
  }
  if (!stepped) return result;
  const auto by = number(step, field);
  if (!by) return wrong(piece, "needs a number after the slash");
  if (*by == 0) return wrong(piece, "has a step of 0");
  const int32_t behind =
      from_end ? result.start - field.range.first : field.range.last - result.start;
  if (*by > (ranged ? result.stop - result.start : behind))
    return wrong(piece, "steps over everything that could follow");
  result.step = static_cast<int32_t>(*by);
  return result;
}

Parsed<CalendarField> field(std::string_view piece, const Field& what, bool from_end = false) {
  CalendarField parts;
  if (piece == "*") {
    // Any microsecond is not what is meant.
    if (what.seconds) parts.push_back({0, -1, kSecond});
    return parts;
  }
  if (piece.starts_with("*/"))
    return wrong(piece, "cannot be; begin with the first value, as in \"" +
                            std::to_string(what.range.first) + std::string(piece.substr(1)) + "\"");
  for (std::string_view rest = piece;;) {
    const bool last = rest.find(',') == std::string_view::npos;
    const std::string_view one = take_until(rest, ",");
    if (one.empty()) return wrong(piece, lacks(what));
    const auto parsed = part(one, what, from_end);
    if (!parsed) return std::unexpected(parsed.error());
    parts.push_back(*parsed);
    if (last) return parts;
  }
}

/// The names of the days, short and whole.
std::vector<std::string_view> day_names() {
  std::vector<std::string_view> names;
  for (const std::string_view day : kDays) {
    names.push_back(day.substr(0, kShortDay));
    names.push_back(day);
  }
  return names;
}

std::string no_weekday(std::string_view word) {
  const std::string_view nearest = nearest_word(word, day_names());
  std::string text = "is no day of the week";
  if (!nearest.empty()) text += "; did you mean " + std::string(nearest) + "?";
  return text;
}

Parsed<int> weekday(std::string_view word) {
  const std::string name = lower(word);
  for (size_t i = 0; i < kDays.size(); ++i)
    if (name == lower(kDays[i]) || name == lower(kDays[i].substr(0, kShortDay)))
      return static_cast<int>(i);
  return wrong(word, no_weekday(word));
}

Parsed<uint8_t> weekdays(std::string_view word) {
  if (word.ends_with(',') && word.size() > 1) word.remove_suffix(1);
  unsigned days = 0;
  for (std::string_view rest = word; !rest.empty();) {
    const std::string_view piece = take_until(rest, ",");
    std::string_view end = piece;
    // "Mon-Fri" is the old way to write a range.
    const std::string_view begin = take_until(end, piece.find('-') < piece.size() ? "-" : "..");
    const auto first = weekday(begin);
    if (!first) return std::unexpected(first.error());
    const auto last = begin.size() < piece.size() ? weekday(end) : first;
    if (!last) return std::unexpected(last.error());
    if (*last < *first) return wrong(piece, "ends before it begins; a week begins on Monday");
    for (int day = *first; day <= *last; ++day)
      days |= 1U << day;
  }
  return static_cast<uint8_t>(days);
}

/// Reads the words of an event into a Calendar.
class Reader {
 public:
  Parsed<Calendar> read(std::string_view text) {
    std::vector<std::string_view> words = words_of(text);
    if (words.empty()) return wrong(text, "is empty");
    if (words.size() > 1 && zone_word(words.back())) {
      if (!known_zone(words.back())) return wrong(words.back(), "is no time zone that is known");
      calendar_.zone = lower(words.back()) == "utc" ? "UTC" : std::string(words.back());
      words.pop_back();
    }
    if (words.size() == 1 && shorthand(words.front())) return calendar_;
    if (auto done = all(words); !done) return std::unexpected(done.error());
    return calendar_;
  }

 private:
  static bool zone_word(std::string_view word) {
    return letter(word.front()) && !weekdays(word).has_value();
  }

  static bool known_zone(std::string_view word) {
    return lower(word) == "utc" || calendar::known_zone(word);
  }

  bool shorthand(std::string_view word) {
    const std::string name = lower(word);
    for (const Shorthand& known : kShorthands) {
      if (name != known.name) continue;
      return all(words_of(known.meaning)).has_value();
    }
    return false;
  }

  Parsed<void> all(std::vector<std::string_view> words) {
    auto next = words.begin();
    bool dated = false;
    if (letter(next->front())) {
      const auto days = weekdays(*next);
      const bool list = next->find_first_of(",.-") != std::string_view::npos;
      if (!days && words.size() == 1 && !list)
        return wrong(*next, neither_day_nor_shorthand(*next));
      if (!days) return std::unexpected(days.error());
      calendar_.weekdays = *days;
      ++next;
    }
    if (next != words.end() && next->starts_with('@')) return epoch(next, words.end());
    if (next != words.end() && next->find(':') == std::string_view::npos) {
      if (auto done = date(*next); !done) return done;
      ++next;
      dated = true;
    }
    if (next == words.end()) return time("00:00:00");
    if (next->find(':') == std::string_view::npos)
      return wrong(*next, dated ? "is no time of day" : "is neither a date nor a time of day");
    if (auto done = time(*next); !done) return done;
    if (++next != words.end()) return wrong(*next, "follows the time of day");
    return {};
  }

  static std::string neither_day_nor_shorthand(std::string_view word) {
    std::vector<std::string_view> known = day_names();
    for (const Shorthand& one : kShorthands)
      known.push_back(one.name);
    const std::string_view nearest = nearest_word(word, known);
    return nearest.empty() ? "is neither a day of the week nor a word such as \"daily\""
                           : "is not known; did you mean " + std::string(nearest) + "?";
  }

  Parsed<void> date(std::string_view word) {
    std::string_view rest = word;
    const size_t tilde = rest.find('~');
    calendar_.day_from_end = tilde != std::string_view::npos;
    const std::string_view day =
        calendar_.day_from_end ? rest.substr(tilde + 1) : rest.substr(rest.rfind('-') + 1);
    if (day.size() == word.size())
      return wrong(word,
                   "is neither a date nor a time of day; a date is year-month-day or "
                   "month-day, a time hour:minute");
    rest.remove_suffix(day.size() + 1);
    const size_t dash = rest.find('-');
    const bool has_year = dash != std::string_view::npos;
    if (has_year) {
      if (auto done = set(calendar_.year, rest.substr(0, dash), kYear); !done) return done;
      rest.remove_prefix(dash + 1);
    }
    if (auto done = set(calendar_.month, rest, kMonth); !done) return done;
    return set(calendar_.day, day, kDay, calendar_.day_from_end);
  }

  Parsed<void> time(std::string_view word) {
    std::string_view rest = word;
    const std::string_view hour = take_until(rest, ":");
    const bool has_second = rest.find(':') != std::string_view::npos;
    const std::string_view minute = take_until(rest, ":");
    if (auto done = set(calendar_.hour, hour, kHour); !done) return done;
    if (minute.empty()) return wrong(word, lacks(kMinute));
    if (auto done = set(calendar_.minute, minute, kMinute); !done) return done;
    if (has_second && rest.empty()) return wrong(word, lacks(kSecondField));
    return set(calendar_.second, has_second ? rest : "00", kSecondField);
  }

  /// "@1395716396": a point in time, in seconds since 1970.
  Parsed<void> epoch(std::vector<std::string_view>::iterator word,
                     std::vector<std::string_view>::iterator end) {
    const std::string_view digits = word->substr(1);
    if (digits.empty() || digits.size() > kEpochDigitsMax || !std::ranges::all_of(digits, digit))
      return wrong(*word, "is no number of seconds since 1970");
    if (word + 1 != end || !calendar_.zone.empty())
      return wrong(*word, "says all there is to say; nothing can follow it");
    int64_t seconds = 0;
    for (const char c : digits)
      seconds = seconds * 10 + (c - '0');
    const calendar::CivilTime at = calendar::civil_time(seconds * kSecond);
    if (at.year > calendar::kYears.last) return wrong(*word, "is too far in the future");
    calendar_.year = {{at.year}};
    calendar_.month = {{at.month}};
    calendar_.day = {{at.day}};
    calendar_.hour = {{at.hour}};
    calendar_.minute = {{at.minute}};
    calendar_.second = {{at.second_us}};
    calendar_.zone = "UTC";
    return {};
  }

  static Parsed<void> set(CalendarField& into, std::string_view piece, const Field& what,
                          bool from_end = false) {
    auto parsed = field(piece, what, from_end);
    if (!parsed) return std::unexpected(parsed.error());
    into = std::move(*parsed);
    return {};
  }

  Calendar calendar_;
};

}  // namespace

Result<Calendar> parse_calendar(std::string_view text) {
  auto parsed = Reader().read(text);
  if (parsed) {
    calendar::normalise(*parsed);
    return std::move(*parsed);
  }
  const Mistake& mistake = parsed.error();
  const std::string what = "read \"" + std::string(text) + "\" as a calendar event";
  if (mistake.piece.empty()) return failure(what, "it " + mistake.message);
  const auto offset = static_cast<size_t>(mistake.piece.data() - text.data());
  return failure(what, "\"" + std::string(mistake.piece) + "\" at " + std::to_string(offset + 1) +
                           " " + mistake.message);
}

}  // namespace foster
