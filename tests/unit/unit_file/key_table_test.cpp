// The table of keys keeps what it promises to those who make other things from it.

#include <algorithm>
#include <set>

#include "common/unit/graph.hpp"
#include "common/unit/unit_doc.hpp"
#include "common/unit/unit_keys.hpp"
#include "tests/unit/unit_file/parsing.hpp"

namespace foster {
namespace {

using testing::with_command;

/// An address that a key of [[socket]] means something for.
std::string listen_for(const KeySpec& key) {
  const bool file = key.name == "mode" || key.name == "user" || key.name == "group";
  return file ? "listen = \"unix:///run/x\"\n" : "listen = \"tcp://[::]:80\"\n";
}

/// What else a file has to say for the key to make sense; the section's header is there already.
std::string partner(const KeySpec& key) {
  const auto is = [&](Section section, std::string_view name) {
    return key.section == section && key.name == name;
  };
  if (is(Section::service, "remain-after-exit")) return "type = \"oneshot\"\n";
  if (is(Section::service, "pid-file")) return "type = \"forking\"\n";
  if (is(Section::ready, "http-status") || is(Section::health, "http-status"))
    return "http = \"http://x\"\n";
  if (key.section == Section::ready && (key.name == "timeout" || key.name == "interval" ||
                                        key.name == "on-timeout" || key.name == "notify"))
    return "tcp = \"x:1\"\n";
  if (key.section == Section::health && find_key(Section::health, key.name)->default_text != "none")
    return "tcp = \"x:1\"\n";
  if (is(Section::restart, "limit-unit")) return "limit-action = \"start-unit\"\n";
  if (key.section == Section::hooks && key.name.ends_with("-timeout"))
    return std::string(key.name.substr(0, key.name.size() - 8)) + " = [\"/bin/x\"]\n";
  if (is(Section::service, "trigger-limit") || is(Section::service, "trigger-interval"))
    return "start = \"first-connection\"\n";
  if (key.section == Section::socket && key.name != "listen") return listen_for(key);
  if (is(Section::timer, "jitter") || is(Section::timer, "persistent"))
    return "calendar = \"daily\"\n";
  return {};
}

/// A file that sets one key, if `value` is not empty.
std::string file_with(const KeySpec& key, const std::string& value) {
  const std::string setting =
      value.empty() ? std::string() : std::string(key.name) + " = " + value + "\n";
  if (key.section == Section::top) return setting + with_command("");
  if (key.section == Section::service && key.name == "command") return "[service]\n" + setting;
  const std::string header =
      key.section == Section::service ? "" : std::string(section_text(key.section)) + "\n";
  const bool of_trigger = key.name.starts_with("trigger-");
  return with_command(header + partner(key) + setting +
                      (of_trigger ? "[[socket]]\nlisten = \"tcp://*:80\"\n" : ""));
}

std::string descriptors_of(const DescriptorsSpec& held) {
  std::string text = "|" + std::to_string(int(held.start_on)) + std::to_string(held.receive_live) +
                     std::to_string(int(held.store_preserve)) + std::to_string(held.store_max) +
                     "|" + std::to_string(held.trigger_limit) + "|" +
                     std::to_string(held.trigger_interval.count());
  for (const SocketSpec& socket : held.sockets)
    text += "|" + std::to_string(socket.reuse_port) + std::to_string(socket.keep_alive) +
            std::to_string(socket.no_delay) + std::to_string(socket.transparent) +
            std::to_string(socket.free_bind) + std::to_string(socket.ipv6_only) +
            std::to_string(socket.accept) + std::to_string(socket.backlog) + "|" +
            std::to_string(socket.max_connections) + "|" +
            std::to_string(socket.max_connections_per_source) + "|" + std::to_string(socket.mode);
  return text;
}

std::string more_of(const UnitSpec& unit) {
  std::string text;
  if (unit.ready)
    text += "|" + std::to_string(int(unit.ready->kind)) + std::to_string(unit.ready->http_status) +
            std::to_string(int(unit.ready->on_timeout)) + "|" +
            std::to_string(unit.ready->timeout.count()) + "|" +
            std::to_string(unit.ready->interval.count());
  if (unit.health)
    text += "|" + std::to_string(int(unit.health->action)) + std::to_string(unit.health->failures) +
            std::to_string(unit.health->successes) + "|" +
            std::to_string(unit.health->interval.count()) + "|" +
            std::to_string(unit.health->timeout.count()) + "|" +
            std::to_string(unit.health->start_period.count());
  if (unit.hooks)
    for (const HookSpec& hook : unit.hooks->hooks)
      if (!hook.commands.empty()) text += "|" + std::to_string(hook.timeout.count());
  text += descriptors_of(unit.descriptors ? *unit.descriptors : DescriptorsSpec{});
  if (unit.timer)
    text +=
        "|" + std::to_string(unit.timer->jitter.count()) + std::to_string(unit.timer->persistent);
  return text;
}

/// What can be compared of a unit: everything that a key sets.
std::string summary(const UnitSpec& unit) {
  std::string text = unit.description + "|" + std::to_string(unit.essential) + "|" +
                     std::to_string(int(unit.type)) + "|" + unit.working_directory.value_or("/") +
                     "|" + std::to_string(unit.umask.value_or(022)) + "|" +
                     std::to_string(unit.environment.size()) + "|" +
                     std::to_string(unit.environment_files.size()) + "|" +
                     std::to_string(unit.pass_environment.size()) + "|";
  for (const int code : unit.success_exit_codes)
    text += std::to_string(code) + ",";
  const RestartSpec& restart = unit.restart;
  text += std::to_string(int(restart.policy)) + "|" + std::to_string(restart.factor) + "|" +
          std::to_string(restart.jitter) + "|" + std::to_string(restart.limit);
  for (const Duration time : {restart.delay, restart.max_delay, restart.reset_after,
                              restart.limit_interval, unit.stop.timeout}) {
    text += "|" + std::to_string(time.count());
  }
  text += "|" + std::to_string(unit.stop.signal) + "|" + std::to_string(int(unit.stop.scope));
  text += "|" + std::to_string(restart.overlap);
  text += "|" + std::to_string(unit.enabled) + std::to_string(unit.restart_dependents) +
          std::to_string(unit.remain_after_exit) + std::to_string(int(unit.notify_access)) +
          std::to_string(int(restart.limit_action)) + "|" +
          std::to_string(unit.conditions.size() + references_of(unit).size() +
                         restart.prevent_exit_codes.size() + restart.force_exit_codes.size());
  return text + more_of(unit);
}

TEST(KeyTable, EveryKeyIsThereOnceAndDescribed) {
  std::set<std::pair<Section, std::string_view>> seen;
  for (const KeySpec& key : unit_keys()) {
    EXPECT_TRUE(seen.emplace(key.section, key.name).second) << key.name;
    EXPECT_EQ(find_key(key.section, key.name), &key);
    EXPECT_FALSE(key.type.empty() || key.default_text.empty()) << key.name;
    EXPECT_TRUE(key.doc.ends_with('.')) << key.name;
    const auto kebab = [](char c) { return (c >= 'a' && c <= 'z') || c == '6' || c == '-'; };
    EXPECT_TRUE(std::ranges::all_of(key.name, kebab)) << key.name;
  }
}

TEST(KeyTable, TheDefaultsItShowsAreTheDefaultsThatHold) {
  for (const KeySpec& key : unit_keys()) {
    const bool in_toml = std::string_view("\"[{0123456789tf").contains(key.default_text[0]) &&
                         !key.default_text.starts_with("the ");
    // What has no default that could be written, and what only templates may say.
    const bool of_templates = key.name == "instances" || key.name.starts_with("max-connections");
    if (!in_toml || of_templates) continue;
    const std::string without = summary(testing::unit_from(file_with(key, "")));
    const UnitSpec unit = testing::unit_from(file_with(key, std::string(key.default_text)));
    EXPECT_EQ(summary(unit), without) << key.name;
  }
}

TEST(KeyTable, EveryKeyRefusesEveryTypeThatIsNotItsOwnAndSaysWhatItIs) {
  for (const KeySpec& key : unit_keys()) {
    // A date fits no key.
    const std::string said = testing::complaints(file_with(key, "2024-01-01"));
    const std::string expected = "`" + std::string(key.name) + "` must be " +
                                 std::string(key.type) + ", not a date or time\n";
    EXPECT_NE(said.find(expected), std::string::npos) << said;
    for (const char* value : {"true", "1", "1.5", "\"\\u0001\"", "[[1]]", "{ a = { b = 1 } }"}) {
      const ParsedUnit parsed = parse_unit({"web.toml", file_with(key, value)});
      EXPECT_EQ(parsed.spec.has_value(), parsed.diagnostics.empty());
    }
  }
}

TEST(KeyTable, NoOtherNameOfAKeyIsAKeyOfItsSection) {
  for (const KeySpec& key : unit_keys()) {
    std::string_view names = key.other_names;
    while (!names.empty()) {
      const size_t end = std::min(names.find(' '), names.size());
      EXPECT_EQ(find_key(key.section, names.substr(0, end)), nullptr) << names;
      names.remove_prefix(std::min(end + 1, names.size()));
    }
  }
}

TEST(KeyTable, EverySectionIsFoundByItsName) {
  for (const SectionSpec& section : unit_sections()) {
    if (section.section == Section::top) continue;
    EXPECT_EQ(find_section(section.name), &section);
    const std::string header = "[" + std::string(section.name) + "]";
    EXPECT_EQ(section_text(section.section),
              repeats(section.section) ? "[" + header + "]" : header);
  }
  EXPECT_EQ(find_section(""), nullptr);
}

TEST(KeyTable, TheManualHasEveryKeyInRoffThatMeansWhatItSays) {
  const std::string manual = unit_keys_roff();
  EXPECT_TRUE(manual.starts_with(".SH KEYS\n.SS Top of the file\n"));
  EXPECT_NE(manual.find(".TP\n.B max\\-delay\nThe longest that the wait grows to.\n"
                        ".br\nValue: a duration such as \"200ms\", \"10s\" or \"1min 30s\".\n"
                        ".br\nDefault: \"30s\".\n"),
            std::string::npos);
  EXPECT_EQ(std::ranges::count(manual, '\n'),
            1 + 2 * std::ssize(unit_sections()) + 7 * std::ssize(unit_keys()));
}

}  // namespace
}  // namespace foster
