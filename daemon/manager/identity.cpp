#include "daemon/manager/identity.hpp"

#include <grp.h>
#include <pwd.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>

namespace foster::manager {
namespace {

constexpr size_t kDatabaseBuffer = 64 * 1024;

struct Account {
  uid_t uid = 0;
  gid_t gid = 0;
  std::string name;
  std::string home;
  std::string shell;
};

std::optional<uid_t> number(const std::string& text) {
  uid_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return value;
}

Account account_of(const passwd& entry) {
  return {entry.pw_uid, entry.pw_gid, entry.pw_name, entry.pw_dir, entry.pw_shell};
}

/// A uid without an entry is common in containers: it has its number for a name and no home.
Account nameless(uid_t uid, gid_t gid) {
  return {uid, gid, std::to_string(uid), "/", "/bin/sh"};
}

Result<Account> account_by_uid(uid_t uid, gid_t gid_if_unknown) {
  std::vector<char> buffer(kDatabaseBuffer);
  passwd entry{};
  passwd* found = nullptr;
  const int error = getpwuid_r(uid, &entry, buffer.data(), buffer.size(), &found);
  if (found != nullptr) return account_of(*found);
  if (error != 0 && error != ENOENT)
    return system_failure("look up the user with number " + std::to_string(uid), error);
  return nameless(uid, gid_if_unknown);
}

Result<Account> account_by_name(const std::string& name) {
  std::vector<char> buffer(kDatabaseBuffer);
  passwd entry{};
  passwd* found = nullptr;
  const int error = getpwnam_r(name.c_str(), &entry, buffer.data(), buffer.size(), &found);
  if (found != nullptr) return account_of(*found);
  if (error != 0 && error != ENOENT) return system_failure("look up the user " + name, error);
  if (const auto uid = number(name)) return account_by_uid(*uid, *uid);
  return failure("run as user " + name, "there is no such user");
}

Result<gid_t> group_by_name(const std::string& name) {
  std::vector<char> buffer(kDatabaseBuffer);
  group entry{};
  group* found = nullptr;
  const int error = getgrnam_r(name.c_str(), &entry, buffer.data(), buffer.size(), &found);
  if (found != nullptr) return found->gr_gid;
  if (error != 0 && error != ENOENT) return system_failure("look up the group " + name, error);
  if (const auto gid = number(name)) return *gid;
  return failure("run as group " + name, "there is no such group");
}

std::vector<gid_t> groups_of(const std::string& user, gid_t gid) {
  std::vector<gid_t> groups(32);
  int count = static_cast<int>(groups.size());
  while (getgrouplist(user.c_str(), gid, groups.data(), &count) < 0)
    groups.resize(static_cast<size_t>(count));
  groups.resize(static_cast<size_t>(count));
  return groups;
}

Result<Identity> resolve(const std::optional<std::string>& user,
                         const std::optional<std::string>& group) {
  const auto account = user ? account_by_name(*user) : account_by_uid(geteuid(), getegid());
  if (!account) return std::unexpected(account.error());
  Identity identity{.change_ids = user.has_value() || group.has_value(),
                    .uid = account->uid,
                    .gid = user ? account->gid : getegid(),
                    .groups = {},
                    .user = account->name,
                    .home = account->home,
                    .shell = account->shell};
  if (group) {
    const auto gid = group_by_name(*group);
    if (!gid) return std::unexpected(gid.error());
    identity.gid = *gid;
  }
  if (identity.change_ids && geteuid() != 0) {
    // Only root may become somebody; to be asked for what one already is does no harm.
    if (identity.uid != geteuid() || identity.gid != getegid())
      return failure("run as " + identity.user, "fosterd does not run as root");
    identity.change_ids = false;
  }
  if (identity.change_ids) identity.groups = groups_of(identity.user, identity.gid);
  return identity;
}

}  // namespace

Result<Identity> IdentityCache::look_up(const std::optional<std::string>& user,
                                        const std::optional<std::string>& group) {
  std::string key = user.value_or("") + '\n' + group.value_or("");
  const auto known = known_.find(key);
  if (known != known_.end()) return known->second;
  auto identity = resolve(user, group);
  if (identity) known_.emplace(std::move(key), *identity);
  return identity;
}

}  // namespace foster::manager
