// What readiness and health checks look at: addresses, paths, patterns, amounts of memory.

#include <algorithm>
#include <charconv>
#include <regex.h>

#include "common/unit/expansion.hpp"
#include "common/unit/key_readers.hpp"
#include "common/unit/setting_report.hpp"
#include "common/unit/size_text.hpp"

namespace foster {
namespace {

constexpr size_t kPatternMax = 1000;
constexpr uint64_t kRepetitionsMax = 10'000;
constexpr size_t kSocketPathMax = 107;  // sockaddr_un has room for it and a NUL

bool valid_port(std::string_view text) {
  uint16_t port = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
  return error == std::errc() && end == text.data() + text.size() && port > 0;
}

/// What is wrong with "host:port"; empty when nothing is.
std::string address_mistake(std::string_view text) {
  if (text.contains("//")) return "a host and a port alone stand here, not a URL";
  const size_t colon = text.rfind(':');
  if (colon == std::string_view::npos)
    return valid_port(text) ? "there is no host: write \"localhost:" + std::string(text) + "\""
                            : "expected a host and a port, such as \"localhost:8080\"";
  const std::string_view host = text.substr(0, colon);
  if (!valid_port(text.substr(colon + 1)))
    return backticked_text(text.substr(colon + 1)) + " is no port: a number from 1 to 65535";
  if (host.empty()) return "there is no host before the port";
  const bool bracketed = host.starts_with('[') && host.ends_with(']');
  if (host.contains(':') && !bracketed)
    return "an IPv6 address stands in brackets: \"[" + std::string(host) + "]" +
           std::string(text.substr(colon)) + "\"";
  if (host.find_first_of(" /@") != std::string_view::npos)
    return backticked_text(host) + " is no host's name or address";
  return {};
}

std::string url_mistake(std::string_view text) {
  constexpr std::string_view kPlain = "http://";
  constexpr std::string_view kSecure = "https://";
  const size_t scheme = text.starts_with(kPlain)    ? kPlain.size()
                        : text.starts_with(kSecure) ? kSecure.size()
                                                    : 0;
  if (scheme == 0) return "it begins with \"http://\" or \"https://\"";
  if (text.size() == scheme || text[scheme] == '/') return "a host is missing";
  if (text.find_first_of(" \t\n") != std::string_view::npos) return "it cannot have spaces";
  return {};
}

/// How often the repetitions such as {3,200} of a pattern, one within the other, may at most repeat
/// something: regcomp(3) writes all of them out.
uint64_t repetitions(std::string_view pattern) {
  uint64_t product = 1;
  for (size_t at = pattern.find('{'); at != std::string_view::npos; at = pattern.find('{', at)) {
    uint64_t count = 1;
    for (++at; at < pattern.size() && pattern[at] != '}'; ++at) {
      uint32_t number = 0;
      const auto [end, error] =
          std::from_chars(pattern.data() + at, pattern.data() + pattern.size(), number);
      if (error != std::errc()) continue;
      count = std::max<uint64_t>(count, number);
      at = static_cast<size_t>(end - pattern.data()) - 1;
    }
    product *= count;
    if (product > kRepetitionsMax) break;
  }
  return product;
}

/// Why regcomp(3) does not take the pattern; empty when it does.
std::string pattern_mistake(const std::string& pattern) {
  if (pattern.size() > kPatternMax || repetitions(pattern) > kRepetitionsMax)
    return "too large: at most " + std::to_string(kPatternMax) +
           " bytes, and repetitions that come to " + std::to_string(kRepetitionsMax);
  regex_t compiled;
  const int code = regcomp(&compiled, pattern.c_str(), REG_EXTENDED | REG_NOSUB);
  if (code == 0) {
    regfree(&compiled);
    return {};
  }
  char message[160];
  regerror(code, &compiled, message, sizeof message);
  return message;
}

bool absolute_path(const Setting& setting, const ConfigValue& value) {
  if (!free_of_nul(setting, value)) return false;
  if (value.text.starts_with('/')) return true;
  report(setting, value,
         key_text(setting) + " must be an absolute path: " + quoted_text(value.text) +
             " does not begin with '/'");
  return false;
}

/// Stores a string of which `mistake_of` says what is wrong, if anything is.
void read_judged(const Setting& setting, std::string (*mistake_of)(std::string_view),
                 std::string_view what, std::string& target) {
  const std::string* text = text_value(setting);
  if (text == nullptr || !free_of_nul(setting, setting.entry.value)) return;
  const std::string mistake = mistake_of(*text);
  if (!mistake.empty())
    return report(setting, setting.entry.value,
                  quoted_text(*text) + " is no " + std::string(what) + ": " + mistake);
  target = *text;
}

}  // namespace

void read_path(const Setting& setting, std::string& target) {
  const std::string* text = text_value(setting);
  if (text != nullptr && absolute_path(setting, setting.entry.value)) target = *text;
}

void read_socket_path(const Setting& setting, std::string& target) {
  const std::string* text = text_value(setting);
  if (text == nullptr || !absolute_path(setting, setting.entry.value)) return;
  if (text->size() > kSocketPathMax)
    return report(setting, setting.entry.value,
                  key_text(setting) + " has " + std::to_string(text->size()) +
                      " bytes, and a socket's path has at most " + std::to_string(kSocketPathMax));
  target = *text;
}

void read_address(const Setting& setting, std::string& target) {
  read_judged(setting, address_mistake, "address", target);
}

void read_url(const Setting& setting, std::string& target) {
  read_judged(setting, url_mistake, "URL", target);
}

void read_http_status(const Setting& setting, uint16_t& target) {
  constexpr int64_t kLeast = 100;
  constexpr int64_t kMost = 599;
  const ConfigValue& value = setting.entry.value;
  if (value.kind != ValueKind::integer) return report_type(setting);
  if (value.integer < kLeast || value.integer > kMost)
    return report(setting, value,
                  key_text(setting) + " must be " + std::string(setting.key.type) + ", not " +
                      number_text(value));
  target = static_cast<uint16_t>(value.integer);
}

void read_pattern(const Setting& setting, std::string& target) {
  const std::string* text = text_value(setting);
  if (text == nullptr || !free_of_nul(setting, setting.entry.value)) return;
  if (text->empty())
    return report(setting, setting.entry.value,
                  key_text(setting) + " is empty, which any line would match");
  const std::string mistake = pattern_mistake(*text);
  if (!mistake.empty())
    return report(setting, setting.entry.value,
                  quoted_text(*text) + " is no regular expression: " + mistake);
  target = *text;
}

void read_descriptor(const Setting& setting, int& target) {
  constexpr int64_t kLeast = 3;
  constexpr int64_t kMost = 255;
  const ConfigValue& value = setting.entry.value;
  if (value.kind != ValueKind::integer) return report_type(setting);
  if (value.integer >= 0 && value.integer < kLeast)
    return report(setting, value,
                  "descriptor " + number_text(value) +
                      " is standard input, output or error: take one from 3 on");
  if (value.integer < kLeast || value.integer > kMost)
    return report(setting, value,
                  key_text(setting) + " must be " + std::string(setting.key.type) + ", not " +
                      number_text(value));
  target = static_cast<int>(value.integer);
}

void read_variable_name(const Setting& setting, std::string& target) {
  const std::string* text = text_value(setting);
  if (text == nullptr) return;
  if (!valid_variable_name(*text))
    return report(setting, setting.entry.value,
                  quoted_text(*text) +
                      " is no variable's name: letters, digits and `_` make one, and no digit "
                      "comes first");
  target = *text;
}

void read_size(const Setting& setting, uint64_t& target) {
  const ConfigValue& value = setting.entry.value;
  if (value.kind == ValueKind::integer)
    return report_type(setting, "\"" + number_text(value) + "MiB\"");
  if (value.kind != ValueKind::text) return report_type(setting);
  const Result<uint64_t> size = parse_size(value.text);
  if (!size)
    return report(setting, value, key_text(setting) + " is no size: " + size.error().message);
  if (*size == 0) return report(setting, value, key_text(setting) + " must be more than nothing");
  target = *size;
}

}  // namespace foster
