#include "common/listen/socket_owner.hpp"

#include <charconv>
#include <cstring>
#include <grp.h>
#include <pwd.h>
#include <vector>

#include "common/listen/open_socket.hpp"

namespace foster {
namespace {

constexpr size_t kDatabaseBuffer = 64 * 1024;

std::optional<uint32_t> number(const std::string& text) {
  uint32_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

Result<void> find_user(const std::string& name, SocketOwner& owner) {
  std::vector<char> buffer(kDatabaseBuffer);
  passwd entry{};
  passwd* found = nullptr;
  const std::optional<uint32_t> uid = number(name);
  const int error = uid ? getpwuid_r(*uid, &entry, buffer.data(), buffer.size(), &found)
                        : getpwnam_r(name.c_str(), &entry, buffer.data(), buffer.size(), &found);
  if (found != nullptr) {
    owner.user = entry.pw_uid;
    owner.group = entry.pw_gid;
    return {};
  }
  // A number without an entry is common in containers.
  if (uid) {
    owner.user = *uid;
    return {};
  }
  if (error != 0 && error != ENOENT) return system_failure("look up the user " + name, error);
  return failure("give it to the user " + name, "there is no such user");
}

Result<gid_t> find_group(const std::string& name) {
  if (const std::optional<uint32_t> gid = number(name)) return *gid;
  std::vector<char> buffer(kDatabaseBuffer);
  group entry{};
  group* found = nullptr;
  const int error = getgrnam_r(name.c_str(), &entry, buffer.data(), buffer.size(), &found);
  if (found != nullptr) return entry.gr_gid;
  if (error != 0 && error != ENOENT) return system_failure("look up the group " + name, error);
  return failure("give it to the group " + name, "there is no such group");
}

}  // namespace

Result<SocketOwner> find_socket_owner(const SocketSpec& spec) {
  SocketOwner owner;
  if (spec.user) {
    if (Result<void> found = find_user(*spec.user, owner); !found)
      return std::unexpected(found.error());
  }
  if (spec.group) {
    const Result<gid_t> group = find_group(*spec.group);
    if (!group) return std::unexpected(group.error());
    owner.group = *group;
  }
  return owner;
}

// Here and not beside open_socket_as, so that a static program does not pull the database in.
Result<UniqueFd> open_socket(const SocketSpec& spec) {
  const Result<SocketOwner> owner = find_socket_owner(spec);
  if (!owner) return context("listen on " + spec.listen, owner.error());
  return open_socket_as(spec, *owner);
}

}  // namespace foster
