#include "ctl/command_table.hpp"

#include <algorithm>

#include <CLI/CLI.hpp>

#include "common/instance.hpp"
#include "common/nearest_word.hpp"
#include "common/signal_name.hpp"
#include "common/unit/descriptor_name.hpp"
#include "common/unit/duration_text.hpp"
#include "common/unit/listen_address.hpp"
#include "ctl/printable.hpp"
#include "ctl/verbs.hpp"

namespace foster::ctl {

/// Options whose text is turned into a value once CLI11 is through.
struct OptionTexts {
  std::string timeout;
  std::string condition;
  std::string unit_template;
  bool signal_last = false;  // the last operand is a signal
  std::vector<std::string> listens;
  std::vector<std::string> inherited;
  std::vector<std::string> descriptor_names;
};

namespace {

constexpr std::string_view kFooter =
    "Names may be patterns (web-*). Words after -- are names, whatever they begin with.\n"
    "\n"
    "Exit codes: 0 done, 1 failed, 2 wrong usage, 3 no such unit, 4 no daemon, 5 not permitted,\n"
    "124 timed out.\n"
    "See fosterctl COMMAND --help, fosterctl(1).\n";

// CLI11 takes an operand "[...]" for a list; patterns may look like that. This in front hides it.
constexpr char kShield = '\x1f';

/// Help as the rest of foster writes it: how to call it first, and types without decoration.
class HelpFormatter : public CLI::Formatter {
 public:
  explicit HelpFormatter(std::string usage) : usage_(std::move(usage)) { column_width(24); }

  std::string make_help(const CLI::App* app, std::string, CLI::AppFormatMode mode) const override {
    const std::string footer = app->get_footer();
    return "Usage: " + usage_ + "\n" + app->get_description() + "\n" + make_positionals(app) +
           make_groups(app, mode) + make_subcommands(app, mode) + (footer.empty() ? "" : "\n") +
           footer;
  }

  std::string make_option_opts(const CLI::Option* option) const override {
    const bool has_value = option->get_type_size() != 0 && !option->get_positional();
    return has_value ? " " + option->get_type_name() : "";
  }

 private:
  std::string usage_;
};

void declare_names(CLI::App& app, Arguments& arguments, bool required) {
  app.add_option("NAME", arguments.names, "Units, as names or patterns")->required(required);
}

void declare_json(CLI::App& app, Arguments& arguments) {
  app.add_flag("--json", arguments.json, "For programs: see fosterctl(1) for the keys");
}

void declare_timeout(CLI::App& app, OptionTexts& texts) {
  const auto mistake = [](const std::string& text) {
    const Result<Duration> duration = parse_duration(text);
    return duration ? std::string() : duration.error().message;
  };
  app.add_option("--timeout", texts.timeout, "Wait no longer than this: 10s, 1min 30s")
      ->type_name("TIME")
      ->check(mistake);
}

void declare_status(CLI::App& app, Arguments& arguments, OptionTexts&) {
  declare_names(app, arguments, false);
  declare_json(app, arguments);
}

void declare_change(CLI::App& app, Arguments& arguments, OptionTexts& texts) {
  declare_names(app, arguments, true);
  app.add_flag("--no-wait", arguments.no_wait, "Ask, and do not wait for the outcome");
  declare_timeout(app, texts);
  app.add_flag("-q,--quiet", arguments.quiet, "Say nothing but errors");
}

void declare_restart(CLI::App& app, Arguments& arguments, OptionTexts& texts) {
  declare_change(app, arguments, texts);
  app.add_flag("--overlap", arguments.overlap,
               "Start the new processes first, and stop the old ones once\n"
               "these are ready");
}

void declare_signal(CLI::App& app, Arguments& arguments, OptionTexts& texts) {
  texts.signal_last = true;
  app.add_option("NAME", arguments.names, "Units, and last the signal: HUP, SIGUSR1, 10")
      ->required();
  app.add_flag("-q,--quiet", arguments.quiet, "Say nothing but errors");
}

bool is_count(const std::string& text) {
  return !text.empty() && text.size() <= 9 &&
         text.find_first_not_of("0123456789") == std::string::npos;
}

std::string count_mistake(const std::string& text) {
  return is_count(text) ? std::string() : "'" + text + "' is no count";
}

std::string descriptor_mistake(const std::string& text) {
  return is_count(text) ? std::string() : "'" + text + "' is no number of a descriptor";
}

void declare_quiet(CLI::App& app, Arguments& arguments) {
  app.add_flag("-q,--quiet", arguments.quiet, "Say nothing but errors");
}

void declare_unit(CLI::App& app, Arguments& arguments) {
  app.add_option("NAME", arguments.names, "The unit, by its name")
      ->required()
      ->expected(1)
      ->allow_extra_args(false);
}

std::string listen_mistake(const std::string& text) {
  const Result<ListenAddress> address = parse_listen_address(text);
  return address ? std::string()
                 : "'" + text + "' is no address to listen at: " + address.error().message;
}

void declare_pass(CLI::App& app, Arguments& arguments, OptionTexts& texts) {
  declare_unit(app, arguments);
  app.add_option("--listen", texts.listens,
                 "Open a socket here and pass it: tcp://127.0.0.1:80,\n"
                 "unix:///run/x.sock, ... as [[socket]] has it")
      ->type_name("URL")
      ->check(listen_mistake)
      ->allow_extra_args(false);
  app.add_option("--fd", texts.inherited, "Pass a descriptor that fosterctl has inherited")
      ->type_name("N")
      ->check(descriptor_mistake)
      ->allow_extra_args(false);
  app.add_option("--name", texts.descriptor_names,
                 "What the service calls it; default: the unit's name. With\n"
                 "several descriptors one for each, in the same order")
      ->type_name("FDNAME")
      ->allow_extra_args(false);
  declare_quiet(app, arguments);
}

void declare_descriptor(CLI::App& app, Arguments& arguments) {
  declare_unit(app, arguments);
  app.add_option("FDNAME", arguments.descriptor, "The descriptor, by its name")->required();
}

void declare_drop(CLI::App& app, Arguments& arguments, OptionTexts&) {
  declare_descriptor(app, arguments);
  declare_quiet(app, arguments);
}

void declare_take(CLI::App& app, Arguments& arguments, OptionTexts&) {
  declare_descriptor(app, arguments);
  app.add_option("COMMAND", arguments.command, "What to run, after --, with its arguments")
      ->required();
}

void declare_setting(CLI::App& app, Arguments& arguments, OptionTexts&) {
  declare_names(app, arguments, true);
  declare_quiet(app, arguments);
}

void declare_load(CLI::App& app, Arguments& arguments, OptionTexts& texts) {
  app.add_flag("--no-wait", arguments.no_wait, "Ask, and do not wait until it is so");
  declare_timeout(app, texts);
  declare_quiet(app, arguments);
}

void declare_scale(CLI::App& app, Arguments& arguments, OptionTexts& texts) {
  app.add_option("TEMPLATE", texts.unit_template, "The template's name: worker for worker@.toml")
      ->required();
  app.add_option("N", arguments.instances, "How many instances there are to be: worker@1 to @N")
      ->required()
      ->check(count_mistake);
  declare_load(app, arguments, texts);
}

void declare_why(CLI::App& app, Arguments& arguments, OptionTexts&) {
  declare_names(app, arguments, true);
  declare_json(app, arguments);
}

void declare_graph(CLI::App& app, Arguments& arguments, OptionTexts&) {
  declare_names(app, arguments, false);
  app.add_flag("--dot", arguments.dot, "In Graphviz's language: fosterctl graph --dot | dot -Tsvg");
}

void declare_cat(CLI::App& app, Arguments& arguments, OptionTexts&) {
  app.add_option("NAME", arguments.names, "Units, templates or instances, by their names")
      ->required();
  app.add_option("--units", arguments.units,
                 "Directory of unit files, or one file; may be given several\n"
                 "times; default: where the running fosterd looks")
      ->type_name("DIR")
      ->allow_extra_args(false);
}

void declare_tree(CLI::App& app, Arguments& arguments, OptionTexts&) {
  declare_names(app, arguments, false);
  app.add_flag("--reverse", arguments.reverse, "What depends on the units instead");
}

void declare_wait(CLI::App& app, Arguments& arguments, OptionTexts& texts) {
  declare_names(app, arguments, true);
  const auto mistake = [](const std::string& word) {
    return condition_of(word) ? std::string() : "'" + word + "' is none of " + condition_words();
  };
  app.add_option("--for", texts.condition,
                 "running, stopped, failed, exited, waiting, skipped,\n"
                 "listening, up or ready (running, listening, or a\n"
                 "oneshot that is done),\n"
                 "healthy (up, and no check says otherwise) or\n"
                 "down (at rest)")
      ->type_name("STATE")
      ->required()
      ->check(mistake);
  declare_timeout(app, texts);
  app.add_flag("-q,--quiet", arguments.quiet, "Say nothing but errors");
}

void declare_watch(CLI::App& app, Arguments& arguments, OptionTexts&) {
  declare_names(app, arguments, false);
  app.add_flag("--json", arguments.json, "One object a line: see fosterctl(1) for the keys");
}

void declare_events(CLI::App& app, Arguments& arguments, OptionTexts& texts) {
  declare_watch(app, arguments, texts);
  app.add_option("-n", arguments.count, "Only the last N; 0, the default: all that are kept")
      ->type_name("N")
      ->check(count_mistake);
  app.add_flag("-f,--follow", arguments.follow, "Go on with what happens from now on");
}

void declare_check(CLI::App& app, Arguments& arguments, OptionTexts&) {
  app.add_option("PATH", arguments.names,
                 "Unit files and directories of them; default: where fosterd looks");
  app.add_option(
         "--calendar", arguments.calendars,
         "Instead, a calendar event such as \"Mon..Fri 09:00\": when it comes next; may be\n"
         "given several times")
      ->type_name("EVENT")
      ->allow_extra_args(false);
  app.add_flag("-q,--quiet", arguments.quiet, "Say nothing but errors");
}

void declare_shutdown(CLI::App& app, Arguments& arguments, OptionTexts& texts) {
  app.add_flag("--no-wait", arguments.no_wait, "Ask, and do not wait for the end");
  declare_timeout(app, texts);
  app.add_flag("-q,--quiet", arguments.quiet, "Say nothing but errors");
}

void declare_version(CLI::App& app, Arguments& arguments, OptionTexts&) {
  declare_json(app, arguments);
}

// The groups of the overview.
constexpr char kLooking[] = "Looking";
constexpr char kChanging[] = "Changing";
constexpr char kDescriptors[] = "Sockets and other descriptors";
constexpr char kSetting[] = "Units and the daemon";

constexpr Command kCommands[] = {
    {kLooking, "status", "Show units: all, some, or all about one", "[NAME...]", declare_status,
     run_status},
    {kLooking, "list", "Names and states, one a line", "[NAME...]", declare_status, run_list},
    {kLooking, "why", "Why units are in their state, and what would change it", "NAME...",
     declare_why, run_why},
    {kLooking, "graph", "What depends on what", "[NAME...]", declare_graph, run_graph},
    {kLooking, "tree", "The same as a tree, with states", "[NAME...]", declare_tree, run_tree},
    {kLooking, "cat", "What a unit's files come to, and where each key is from", "NAME...",
     declare_cat, run_cat},
    {kLooking, "timers", "When timers start units next", "[NAME...]", declare_status, run_timers},
    {kLooking, "watch", "Show changes of state as they happen", "[NAME...]", declare_watch,
     run_watch},
    {kLooking, "events", "Show what happened lately: the flight recorder", "[NAME...]",
     declare_events, run_events},
    {kLooking, "wait", "Wait until all of the units are in a state", "NAME... --for STATE",
     declare_wait, run_wait},
    {kChanging, "start", "Start units and wait until they are up", "NAME...", declare_change,
     run_start},
    {kChanging, "stop", "Stop units and wait until they are down", "NAME...", declare_change,
     run_stop},
    {kChanging, "restart", "Stop units and start them again", "NAME...", declare_restart,
     run_restart},
    {kChanging, "reload", "Have services read their configuration again", "NAME...", declare_change,
     run_reload},
    {kChanging, "reset", "Forget failures and restarts of units", "NAME...", declare_change,
     run_reset},
    {kChanging, "signal", "Send a signal to the units' main processes", "NAME... SIGNAL",
     declare_signal, run_signal},
    {kDescriptors, "pass", "Open a socket, or take one, and give it to a unit",
     "NAME (--listen URL | --fd N)... [--name FDNAME]...", declare_pass, run_pass},
    {kDescriptors, "fds", "What is held for units: sockets, and what was passed or stored",
     "NAME...", declare_why, run_fds},
    {kDescriptors, "drop", "Hold a descriptor no longer", "NAME FDNAME", declare_drop, run_drop},
    {kDescriptors, "hand-up", "Have the supervisor above fosterd keep a unit's socket",
     "NAME FDNAME", declare_drop, run_hand_up},
    {kDescriptors, "take", "Run a command with a descriptor that is held for a unit",
     "NAME FDNAME -- COMMAND...", declare_take, run_take},
    {kSetting, "enable", "Have units started with the daemon", "NAME...", declare_setting,
     run_enable},
    {kSetting, "disable", "Have units not started with the daemon", "NAME...", declare_setting,
     run_disable},
    {kSetting, "mask", "Forbid any start of units", "NAME...", declare_setting, run_mask},
    {kSetting, "unmask", "Allow starts of units again", "NAME...", declare_setting, run_unmask},
    {kSetting, "scale", "Set how many instances of a template there are", "TEMPLATE N",
     declare_scale, run_scale},
    {kSetting, "load", "Read the unit files again", "", declare_load, run_load},
    {kSetting, "check", "Find the mistakes in unit files", "[PATH... | --calendar EVENT]",
     declare_check, run_check},
    {kSetting, "shutdown", "Stop everything, and fosterd with it", "", declare_shutdown,
     run_shutdown},
    {kSetting, "version", "Versions of fosterctl and of the daemon", "", declare_version,
     run_version},
};

void declare_globals(CLI::App& app, Arguments& arguments) {
  app.set_help_flag("-h,--help", "Show this");
  app.set_version_flag("--version", "fosterctl " FOSTER_VERSION, "Show fosterctl's version");
  app.add_option("--instance", arguments.instance, "Which fosterd; default: $FOSTER_INSTANCE")
      ->type_name("NAME");
  app.add_option("--runtime-dir", arguments.runtime_dir,
                 "As given to fosterd; default: $FOSTER_RUNTIME_DIR")
      ->type_name("DIR");
  app.add_flag("--no-color", arguments.no_color, "No colours; $NO_COLOR does the same");
}

bool takes_value(std::string_view word) {
  return word == "--instance" || word == "--runtime-dir";
}

/// Where the verb stands: the first word that is neither an option nor the value of one.
size_t verb_position(const std::vector<std::string>& words) {
  for (size_t i = 0; i < words.size(); ++i) {
    if (takes_value(words[i])) {
      ++i;
    } else if (!words[i].starts_with('-')) {
      return i;
    }
  }
  return words.size();
}

CommandLine usage_mistake(std::string_view mistake, std::string_view verb) {
  CommandLine line;
  line.code = ExitCode::usage;
  line.text = "fosterctl: " + printable(mistake) + "\nSee fosterctl " + std::string(verb) +
              (verb.empty() ? "" : " ") + "--help.\n";
  return line;
}

CommandLine no_such_command(const std::string& word) {
  std::vector<std::string_view> names;
  for (const Command& command : kCommands)
    names.push_back(command.name);
  const auto begins = [&](std::string_view name) { return name.starts_with(word); };
  // What was broken off is meant before what was mistyped.
  const bool cut = !word.empty() && std::ranges::count_if(names, begins) == 1;
  const std::string_view near =
      cut ? *std::ranges::find_if(names, begins) : nearest_word(word, names);
  return usage_mistake("no such command: " + word +
                           (near.empty() ? "" : " (did you mean " + std::string(near) + "?)"),
                       "");
}

/// CLI11's verdict as a text: help and version are asked for, the rest are mistakes.
CommandLine verdict(const CLI::App& app, const CLI::ParseError& error, std::string_view verb) {
  if (error.get_exit_code() != 0) return usage_mistake(error.what(), verb);
  std::ostringstream out;
  app.exit(error, out, out);
  CommandLine line;
  line.text = out.str();
  return line;
}

std::vector<std::string> shielded(std::vector<std::string> words) {
  for (std::string& word : words) {
    if (word.starts_with('[')) word.insert(0, 1, kShield);
  }
  std::ranges::reverse(words);  // CLI11 takes them from the back.
  return words;
}

void unshield(std::string& word) {
  if (word.starts_with(kShield)) word.erase(0, 1);
}

/// Without a verb: help, the version, or a mistake.
CommandLine parse_overview(const std::vector<std::string>& words) {
  Arguments arguments;
  CLI::App app("Controls foster: looks at units, starts and stops them.", "fosterctl");
  app.formatter(std::make_shared<HelpFormatter>("fosterctl [OPTIONS] COMMAND ..."));
  app.footer(std::string(kFooter));
  declare_globals(app, arguments);
  for (const Command& command : kCommands)
    app.add_subcommand(std::string(command.name), std::string(command.summary))
        ->group(std::string(command.group));
  try {
    app.parse(shielded(words));
  } catch (const CLI::ParseError& error) {
    return verdict(app, error, "");
  }
  return usage_mistake("a command is missing", "");
}

std::string instance_mistake(std::string_view name) {
  const auto allowed = [](char c) { return c == '.' || valid_instance_name({&c, 1}); };
  if (name.empty() || (name.size() < FOSTER_NAME_SIZE && std::ranges::all_of(name, allowed)))
    return {};
  return "'" + std::string(name) + "' is no name for an instance: letters, digits, '-' and '_'";
}

/// What is to be passed, in the order of the command line.
std::string finish_offers(const CLI::App& app, Arguments& arguments, OptionTexts& texts) {
  size_t listens = 0;
  size_t inherited = 0;
  for (const CLI::Option* option : app.parse_order()) {
    if (option->get_name() == "--listen")
      arguments.offers.push_back({.listen = texts.listens[listens++]});
    else if (option->get_name() == "--fd")
      arguments.offers.push_back({.descriptor = std::stoi(texts.inherited[inherited++])});
  }
  std::vector<std::string>& names = texts.descriptor_names;
  std::ranges::for_each(names, unshield);
  if (arguments.offers.empty()) return "--listen or --fd is required";
  for (const std::string& name : names)
    if (!is_descriptor_name(name)) return "--name: " + descriptor_name_mistake(name);
  if (names.empty() && arguments.offers.size() == 1) return {};
  if (names.size() != arguments.offers.size())
    return std::to_string(arguments.offers.size()) +
           (arguments.offers.size() == 1 ? " descriptor takes as many --name, not "
                                         : " descriptors take as many --name, not ") +
           std::to_string(names.size());
  for (size_t i = 0; i < names.size(); ++i)
    arguments.offers[i].name = names[i];
  return {};
}

/// Turns the texts into values; what is wrong with them, or nothing.
std::string finish(Arguments& arguments, const OptionTexts& texts) {
  unshield(arguments.instance);
  unshield(arguments.runtime_dir);
  std::ranges::for_each(arguments.names, unshield);
  std::ranges::for_each(arguments.units, unshield);
  std::ranges::for_each(arguments.command, unshield);
  unshield(arguments.descriptor);
  if (std::ranges::count(arguments.names, "") > 0) return "an empty word is no name";
  if (!texts.unit_template.empty()) arguments.names = {texts.unit_template};
  if (!texts.timeout.empty()) arguments.timeout = *parse_duration(texts.timeout);
  if (!texts.condition.empty()) arguments.condition = *condition_of(texts.condition);
  if (!texts.signal_last) return instance_mistake(arguments.instance);
  const std::string word = arguments.names.back();
  arguments.names.pop_back();
  if (const std::optional<int> number = signal_number(word)) {
    arguments.signal = *number;
    return arguments.names.empty() ? "NAME is required" : instance_mistake(arguments.instance);
  }
  const std::string near = nearest_signal_name(word);
  return "no such signal: " + word + (near.empty() ? "" : " (did you mean " + near + "?)");
}

CommandLine parse_verb(const Command& command, const std::vector<std::string>& words,
                       const Environment& environment) {
  CommandLine line;
  line.arguments.instance = environment.instance;
  line.arguments.runtime_dir = environment.runtime_dir;
  const std::string name = "fosterctl " + std::string(command.name);
  CLI::App app(std::string(command.summary) + ".", name);
  app.formatter(std::make_shared<HelpFormatter>(
      name + " [OPTIONS]" + (command.operands.empty() ? "" : " ") + std::string(command.operands)));
  OptionTexts texts;
  command.declare(app, line.arguments, texts);
  declare_globals(app, line.arguments);
  try {
    app.parse(shielded(words));
  } catch (const CLI::ParseError& error) {
    return verdict(app, error, command.name);
  }
  std::string mistake = finish(line.arguments, texts);
  if (mistake.empty() && command.declare == declare_pass)
    mistake = finish_offers(app, line.arguments, texts);
  if (!mistake.empty()) return usage_mistake(mistake, command.name);
  line.command = &command;
  return line;
}

}  // namespace

std::span<const Command> command_table() {
  return kCommands;
}

CommandLine parse_command_line(const std::vector<std::string>& words,
                               const Environment& environment) {
  const size_t position = verb_position(words);
  if (position == words.size()) return parse_overview(words);
  for (const Command& command : kCommands) {
    if (command.name != words[position]) continue;
    std::vector<std::string> rest = words;
    rest.erase(rest.begin() + static_cast<ptrdiff_t>(position));
    return parse_verb(command, rest, environment);
  }
  if (words[position] == "help") return parse_overview({"--help"});
  return no_such_command(words[position]);
}

}  // namespace foster::ctl
