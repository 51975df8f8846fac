// The reading of calendar events is systemd's: compared with systemd-analyze(1) on examples and on
// some hundred events made at random. Left out are times near changes of the clocks, where foster
// goes its own way (see calendar.hpp).
#include <gtest/gtest.h>

#include <array>
#include <cstdio>
#include <cstdlib>
#include <random>
#include <sstream>
#include <string>
#include <vector>

#include "common/calendar/calendar.hpp"

namespace foster {
namespace {

constexpr int kIterations = 5;
constexpr int kRandomEvents = 400;
constexpr int kEventsPerRun = 100;
constexpr uint64_t kSeed = 20'261'122;
constexpr int kLastDay = 31;
constexpr int64_t kSecondUs = 1'000'000;

struct Oracle {
  std::string normal_form;
  std::vector<std::string> elapses;
};

std::string quoted(const std::string& word) {
  return "'" + word + "'";  // No event has a quote in it.
}

std::string output_of(const std::string& command) {
  FILE* pipe = popen(command.c_str(), "r");
  if (pipe == nullptr) return "";
  std::string text;
  std::array<char, 4096> buffer{};
  while (const size_t got = fread(buffer.data(), 1, buffer.size(), pipe))
    text.append(buffer.data(), got);
  pclose(pipe);
  return text;
}

bool have_systemd_analyze() {
  return !output_of("command -v systemd-analyze").empty();
}

std::string after_colon(const std::string& line) {
  const size_t colon = line.find(": ");
  return colon == std::string::npos ? "" : line.substr(colon + 2);
}

/// systemd's word on each event that it understands, in order.
std::vector<Oracle> ask(const std::vector<std::string>& events, const std::string& base) {
  std::string command =
      "TZ=UTC LC_ALL=C systemd-analyze calendar --iterations=" + std::to_string(kIterations) +
      " --base-time=" + quoted(base) + " --";
  for (const std::string& event : events)
    command += " " + quoted(event);
  std::istringstream lines(output_of(command + " 2>/dev/null"));
  std::vector<Oracle> answers;
  for (std::string line; std::getline(lines, line);) {
    if (line.find("Normalized form:") != std::string::npos)
      answers.push_back({after_colon(line), {}});
    else if (line.find("Next elapse: never") != std::string::npos || answers.empty())
      continue;
    else if (line.find("Next elapse:") != std::string::npos ||
             line.find("Iter") != std::string::npos)
      answers.back().elapses.push_back(after_colon(line));
  }
  return answers;
}

/// As the oracle shows times: in UTC, to the second.
std::string shown(int64_t real_us) {
  Calendar utc;
  utc.zone = "UTC";
  return format_elapse(utc, real_us - real_us % kSecondUs);
}

int64_t time_of(const std::string& text) {
  const auto calendar = parse_calendar(text);
  return calendar ? next_elapse(*calendar, 0).value_or(0) : 0;
}

Oracle ours(const Calendar& calendar, const std::string& base) {
  Oracle answer{format_calendar(calendar), {}};
  std::optional<int64_t> time = time_of(base);
  for (int i = 0; i < kIterations && time; ++i) {
    time = next_elapse(calendar, *time);
    if (time) answer.elapses.push_back(shown(*time));
  }
  return answer;
}

class RandomEvents {
 public:
  explicit RandomEvents(uint64_t seed) : random_(seed) {}

  std::string next() {
    std::string text;
    if (chance(3)) text += weekdays() + " ";
    if (chance(2)) text += date() + " ";
    text += chance(2) ? time() : std::string(text.empty() ? "12:34" : "");
    while (text.ends_with(' '))
      text.pop_back();
    if (chance(4)) text += pick({" UTC", " Asia/Tokyo", " Europe/Berlin", " America/New_York"});
    return text;
  }

 private:
  bool chance(int in) { return number(1, in) == 1; }
  int number(int from, int to) { return std::uniform_int_distribution(from, to)(random_); }
  std::string pick(const std::vector<std::string>& of) {
    return of[static_cast<size_t>(number(0, static_cast<int>(of.size()) - 1))];
  }

  std::string weekdays() {
    static const std::vector<std::string> kDays{"Mon", "tue", "Wednesday", "Thu",
                                                "Fri", "SAT", "Sunday"};
    std::string text = pick(kDays);
    if (chance(2)) text += "," + pick(kDays);
    if (chance(3)) text += ",Mon.." + pick(kDays);
    return text;
  }

  /// Steps without an end divide the field evenly: past the end of others systemd leaves out what
  /// comes first in the next round ("0/15:53" has no 00:53 on the second day).
  std::string part(int from, int to) {
    const int start = number(from, to);
    if (start < to && chance(3)) {
      const int stop = number(start + 1, to);
      const std::string range = std::to_string(start) + ".." + std::to_string(stop);
      return chance(2) ? range : range + "/" + std::to_string(number(1, stop - start));
    }
    const int step = number(2, 6);
    const bool even = (to - from + 1) % step == 0 && to != kLastDay;
    if (even && chance(2)) return std::to_string(from + start % step) + "/" + std::to_string(step);
    return std::to_string(start);
  }

  std::string field(int from, int to) {
    if (chance(3)) return "*";
    std::string text = part(from, to);
    while (chance(3))
      text += "," + part(from, to);
    return text;
  }

  std::string date() {
    std::string text = chance(2) ? "" : chance(3) ? field(2020, 2060) + "-" : "*-";
    text += field(1, 12);
    return chance(4) ? text + "~" + std::to_string(number(1, 20)) : text + "-" + field(1, 31);
  }

  std::string time() {
    std::string text = field(0, 23) + ":" + field(0, 59);
    if (chance(2)) text += ":" + field(0, 59);
    return text;
  }

  std::mt19937_64 random_;
};

void compare(const std::vector<std::string>& events, const std::string& base) {
  const std::vector<Oracle> answers = ask(events, base);
  ASSERT_EQ(answers.size(), events.size());
  for (size_t i = 0; i < events.size(); ++i) {
    const auto calendar = parse_calendar(events[i]);
    ASSERT_TRUE(calendar) << calendar.error().message;
    const Oracle own = ours(*calendar, base);
    EXPECT_EQ(own.normal_form, answers[i].normal_form) << events[i];
    EXPECT_EQ(own.elapses, answers[i].elapses) << events[i] << " after " << base;
  }
}

TEST(Systemd, AgreesOnTheExamplesOfItsManual) {
  if (!have_systemd_analyze()) GTEST_SKIP() << "systemd-analyze is missing";
  compare({"Thu,Fri 2012-*-1,5 11:12:13",
           "Sat,Thu,Mon..Wed,Sat..Sun",
           "Mon,Sun 12-*-* 2,1:23",
           "Wed..Wed,Wed *-1",
           "Wed, 17:48",
           "Wed..Sat,Tue 12-10-15 1:2:3",
           "*-*-7 0:0:0",
           "10-15",
           "monday *-12-* 17:00",
           "Mon,Fri *-*-3,1,2 *:30:45",
           "12,14,13,12:20,10,30",
           "mon,fri *-1/2-1,3 *:30:45",
           "Sat,Sun 12-05 08:05:40",
           "05:40:23.4200004/3.1700005",
           "2003-02..04-05",
           "2003-03-05 05:40 UTC",
           "weekly Pacific/Auckland",
           "*:2/3",
           "*-02~03",
           "Mon *-05~07/1",
           "*-2~3..5/2",
           "hourly",
           "quarterly",
           "semiannually",
           "*-02-29",
           "@1395716396",
           "*:*:0/0.5"},
          "2026-01-15 12:00:00 UTC");
}

TEST(Systemd, AgreesOnRandomEvents) {
  if (!have_systemd_analyze()) GTEST_SKIP() << "systemd-analyze is missing";
  RandomEvents random(kSeed);
  for (int done = 0; done < kRandomEvents; done += kEventsPerRun) {
    std::vector<std::string> events;
    for (int i = 0; i < kEventsPerRun; ++i)
      events.push_back(random.next());
    compare(events, "2027-02-27 23:59:58 UTC");
  }
}

TEST(Systemd, AgreesOnWhatIsNoEvent) {
  if (!have_systemd_analyze()) GTEST_SKIP() << "systemd-analyze is missing";
  for (const std::string event :
       {"Sat..Mon", "*",        "*/2-01-01",       "*:0/60", "2012-11-23T12:34", "12",
        "Mon Tue",  "25:00",    "12:60",           "*-13-1", "*-1-32",           "1969-1-1",
        "2200-1-1", "*:0/0",    "9..5:00",         "*:*:60", "*-1~1/1",          "*-1~31..1",
        "Foo",      "Mon..Foo", "12:30 2020-01-01"}) {
    EXPECT_FALSE(parse_calendar(event)) << event;
    EXPECT_TRUE(ask({event}, "2026-01-15 12:00:00 UTC").empty()) << event;
  }
}

}  // namespace
}  // namespace foster
