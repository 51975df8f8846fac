#include "common/signal_name.hpp"

#include <algorithm>
#include <charconv>
#include <csignal>
#include <vector>

#include "common/nearest_word.hpp"

namespace foster {
namespace {

struct NamedSignal {
  std::string_view name;  // without "SIG"
  int number;
};

// Where two names share a number, the first is the one that people are shown.
constexpr NamedSignal kSignals[] = {
    {"HUP", SIGHUP},       {"INT", SIGINT},     {"QUIT", SIGQUIT}, {"ILL", SIGILL},
    {"TRAP", SIGTRAP},     {"ABRT", SIGABRT},   {"IOT", SIGIOT},   {"BUS", SIGBUS},
    {"FPE", SIGFPE},       {"KILL", SIGKILL},   {"USR1", SIGUSR1}, {"SEGV", SIGSEGV},
    {"USR2", SIGUSR2},     {"PIPE", SIGPIPE},   {"ALRM", SIGALRM}, {"TERM", SIGTERM},
    {"STKFLT", SIGSTKFLT}, {"CHLD", SIGCHLD},   {"CLD", SIGCHLD},  {"CONT", SIGCONT},
    {"STOP", SIGSTOP},     {"TSTP", SIGTSTP},   {"TTIN", SIGTTIN}, {"TTOU", SIGTTOU},
    {"URG", SIGURG},       {"XCPU", SIGXCPU},   {"XFSZ", SIGXFSZ}, {"VTALRM", SIGVTALRM},
    {"PROF", SIGPROF},     {"WINCH", SIGWINCH}, {"IO", SIGIO},     {"POLL", SIGPOLL},
    {"PWR", SIGPWR},       {"SYS", SIGSYS},
};

std::optional<int> whole_number(std::string_view text) {
  int number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (text.empty() || error != std::errc{} || end != text.data() + text.size() || number < 0)
    return std::nullopt;
  return number;
}

std::string upper_without_prefix(std::string_view name) {
  std::string upper(name);
  for (char& c : upper) {
    if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
  }
  if (upper.starts_with("SIG")) upper.erase(0, 3);
  return upper;
}

std::optional<int> real_time_number(std::string_view name) {
  const bool from_min = name.starts_with("RTMIN");
  if (!from_min && !name.starts_with("RTMAX")) return std::nullopt;
  const int base = from_min ? SIGRTMIN : SIGRTMAX;
  name.remove_prefix(5);
  if (name.empty()) return base;
  if (name[0] != (from_min ? '+' : '-')) return std::nullopt;
  const std::optional<int> distance = whole_number(name.substr(1));
  if (!distance || *distance > SIGRTMAX - SIGRTMIN) return std::nullopt;
  return from_min ? base + *distance : base - *distance;
}

}  // namespace

std::optional<int> signal_number(std::string_view name) {
  if (const std::optional<int> number = whole_number(name)) {
    const bool exists =
        (*number >= 1 && *number <= SIGSYS) || (*number >= SIGRTMIN && *number <= SIGRTMAX);
    return exists ? number : std::nullopt;
  }
  const std::string wanted = upper_without_prefix(name);
  for (const NamedSignal& known : kSignals) {
    if (known.name == wanted) return known.number;
  }
  return real_time_number(wanted);
}

std::string signal_name(int number) {
  for (const NamedSignal& known : kSignals) {
    if (known.number == number) return "SIG" + std::string(known.name);
  }
  if (number == SIGRTMIN) return "SIGRTMIN";
  if (number == SIGRTMAX) return "SIGRTMAX";
  if (number > SIGRTMIN && number < SIGRTMAX)
    return "SIGRTMIN+" + std::to_string(number - SIGRTMIN);
  return "signal " + std::to_string(number);
}

std::string nearest_signal_name(std::string_view wrong) {
  std::vector<std::string_view> names;
  for (const NamedSignal& known : kSignals)
    names.push_back(known.name);
  const std::string_view nearest = nearest_word(upper_without_prefix(wrong), names);
  return nearest.empty() ? std::string() : "SIG" + std::string(nearest);
}

}  // namespace foster
