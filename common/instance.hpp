// Which instance of foster is meant, and where its things are. An instance is one fosterd with its
// units; several run side by side. Instance ids:
//   "system"            root's, without --instance
//   "user-<uid>"        an ordinary user's, without --instance
//   "<name>"            root's, with --instance <name>
//   "user-<uid>.<name>" an ordinary user's, with --instance <name>
#pragma once

#include <string>
#include <string_view>
#include <sys/types.h>
#include <vector>

#include "common/result.hpp"

namespace foster {

/// Letters, digits, '-' and '_', 1 to 48 bytes.
[[nodiscard]] bool valid_instance_name(std::string_view name);

/// The id that a daemon of `uid` takes; `name` is empty for the default one.
[[nodiscard]] std::string instance_id(uid_t uid, std::string_view name);

/// The ids that `fosterctl --instance name` may mean for a caller with `uid`, the likeliest first:
/// the caller's own of that name, then the name as it stands ("system", "user-1000", a name of
/// root's).
[[nodiscard]] std::vector<std::string> instance_candidates(uid_t uid, std::string_view name);

/// Who owns an instance with that id: the uid in "user-<uid>...", 0 otherwise.
[[nodiscard]] uid_t instance_owner(std::string_view id);

/// "/foster.<id>", for shm_open.
[[nodiscard]] std::string region_object_name(std::string_view id);

/// The directories that may hold the instance's socket and lock, the preferred first, from the
/// environment as given ($XDG_RUNTIME_DIR may be empty): root: /run/foster/<id>; others:
/// $XDG_RUNTIME_DIR/foster/<id>; and for both, where those cannot be made,
/// /dev/shm/foster-<uid>/<id>.
[[nodiscard]] std::vector<std::string> runtime_dir_candidates(std::string_view id,
                                                              std::string_view xdg_runtime_dir);

/// Where unit files are looked for without --units: root: /etc/foster/units; others:
/// $XDG_CONFIG_HOME/foster/units, or $HOME/.config/foster/units.
[[nodiscard]] std::string default_units_dir(uid_t uid, std::string_view xdg_config_home,
                                            std::string_view home);

}  // namespace foster
