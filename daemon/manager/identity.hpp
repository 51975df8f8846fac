// Who a service runs as: names from the unit file turned into numbers, by the system's user
// database (getpwnam_r(3), getgrouplist(3)). Done by the manager, since the keeper is static and
// must not load NSS.
#pragma once

#include <optional>
#include <string>
#include <sys/types.h>
#include <unordered_map>
#include <vector>

#include "common/result.hpp"

namespace foster::manager {

struct Identity {
  bool change_ids = false;  // differs from the daemon's own user, or was asked for
  uid_t uid = 0;
  gid_t gid = 0;
  std::vector<gid_t> groups;
  std::string user;  // for USER and LOGNAME
  std::string home;
  std::string shell;
};

/// Remembers its answers until clear(), so that a thousand units of one user cost one look-up.
class IdentityCache {
 public:
  /// `user` and `group` as in the unit file: a name, a number, or nothing.
  Result<Identity> look_up(const std::optional<std::string>& user,
                           const std::optional<std::string>& group);
  void clear() { known_.clear(); }

 private:
  std::unordered_map<std::string, Identity> known_;
};

}  // namespace foster::manager
