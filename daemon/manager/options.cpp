#include "daemon/manager/options.hpp"

#include <algorithm>

#include <CLI/CLI.hpp>

#include "common/instance.hpp"

namespace foster::manager {
namespace {

constexpr int kUsageExit = 2;

constexpr char kFooter[] =
    "With a COMMAND after --, fosterd runs it as its essential service: it ends when the command\n"
    "ends, with the command's exit code (128 + signal). Units are run beside it if --units is "
    "given.\n"
    "SIGTERM and SIGINT stop everything in order; a second one hurries.\n"
    "\n"
    "Exit codes: 0 ended in order, 1 cannot start, 2 wrong usage, else the essential service's.\n"
    "See fosterd(8), foster.unit(5), fosterctl(1).";

/// CLI11 does not know of what stands behind "--" here.
class UsageFormatter : public CLI::Formatter {
 public:
  std::string make_usage(const CLI::App*, std::string) const override {
    return "Usage: fosterd [--units DIR]... [--start UNIT]... [--instance NAME]\n"
           "               [--runtime-dir DIR] [--state-dir DIR] [-- COMMAND ARGS]\n";
  }
};

}  // namespace

std::variant<Options, EndNow> parse_options(const std::vector<std::string>& arguments) {
  Options options;
  CLI::App app("Supervises the services described by unit files.", "fosterd");
  app.formatter(std::make_shared<UsageFormatter>());
  app.footer(kFooter);
  app.add_option("--units", options.unit_paths,
                 "Directory of unit files, or one unit file; may be given several times, and then\n"
                 "a later directory goes before the earlier ones. Default: /usr/lib/foster/units,\n"
                 "/etc/foster/units and /run/foster/units, or ~/.config/foster/units and\n"
                 "$XDG_RUNTIME_DIR/foster/units for an ordinary user")
      ->type_name("DIR")
      ->allow_extra_args(false);
  app.add_option("--start", options.start,
                 "Start only these units and what they need, not whatever is enabled; names or\n"
                 "patterns, may be given several times")
      ->type_name("UNIT");
  app.add_option("--instance", options.instance,
                 "Name of this instance, to run several side by side")
      ->envname("FOSTER_INSTANCE")
      ->type_name("NAME");
  app.add_option("--runtime-dir", options.runtime_dir, "Where the control socket and the lock go")
      ->type_name("DIR");
  app.add_option(
         "--state-dir", options.state_dir,
         "Where it is kept over restarts what was enabled, disabled, masked or scaled, and\n"
         "when timers ran last. Default: /var/lib/foster/INSTANCE, or\n"
         "~/.local/state/foster/INSTANCE for an ordinary user")
      ->type_name("DIR");
  app.set_version_flag("--version", "fosterd " FOSTER_VERSION);

  const auto separator = std::ranges::find(arguments, "--");
  if (separator != arguments.end()) options.command.assign(separator + 1, arguments.end());
  std::vector<std::string> own(arguments.begin() + (arguments.empty() ? 0 : 1), separator);
  std::ranges::reverse(own);  // CLI11 takes them from the back.
  try {
    app.parse(own);
  } catch (const CLI::ParseError& error) {
    std::ostringstream out;
    std::ostringstream err;
    const bool asked = app.exit(error, out, err) == 0;
    if (asked) return EndNow{0, out.str()};
    return EndNow{kUsageExit, "fosterd: " + std::string(error.what()) + "\nSee fosterd --help.\n"};
  }
  if (!options.instance.empty() && !valid_instance_name(options.instance))
    return EndNow{kUsageExit,
                  "fosterd: '" + options.instance +
                      "' is no name for an instance: letters, digits, '-' and '_', at most "
                      "48\n"};
  if (separator != arguments.end() && options.command.empty())
    return EndNow{kUsageExit, "fosterd: there is no command after --\n"};
  return options;
}

}  // namespace foster::manager
