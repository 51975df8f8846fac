#include "common/instance.hpp"

#include <algorithm>
#include <charconv>

namespace foster {
namespace {

constexpr size_t kNameBytesMax = 48;
constexpr std::string_view kUserPrefix = "user-";

bool name_character(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
         c == '_';
}

std::string default_id(uid_t uid) {
  return uid == 0 ? "system" : std::string(kUserPrefix) + std::to_string(uid);
}

}  // namespace

bool valid_instance_name(std::string_view name) {
  return !name.empty() && name.size() <= kNameBytesMax && std::ranges::all_of(name, name_character);
}

std::string instance_id(uid_t uid, std::string_view name) {
  if (name.empty()) return default_id(uid);
  return uid == 0 ? std::string(name) : default_id(uid) + "." + std::string(name);
}

std::vector<std::string> instance_candidates(uid_t uid, std::string_view name) {
  std::vector<std::string> ids{instance_id(uid, name)};
  if (!name.empty() && uid != 0) ids.emplace_back(name);
  return ids;
}

uid_t instance_owner(std::string_view id) {
  if (!id.starts_with(kUserPrefix)) return 0;
  id.remove_prefix(kUserPrefix.size());
  uid_t uid = 0;
  const auto [end, error] = std::from_chars(id.data(), id.data() + id.size(), uid);
  const bool whole = end == id.data() + id.size() || *end == '.';
  return error == std::errc{} && whole ? uid : 0;
}

std::string region_object_name(std::string_view id) {
  return "/foster." + std::string(id);
}

std::vector<std::string> runtime_dir_candidates(std::string_view id,
                                                std::string_view xdg_runtime_dir) {
  const std::string name(id);
  const uid_t owner = instance_owner(id);
  std::vector<std::string> dirs;
  if (owner == 0) dirs.push_back("/run/foster/" + name);
  if (owner != 0 && !xdg_runtime_dir.empty())
    dirs.push_back(std::string(xdg_runtime_dir) + "/foster/" + name);
  dirs.push_back("/dev/shm/foster-" + std::to_string(owner) + "/" + name);
  return dirs;
}

std::string default_units_dir(uid_t uid, std::string_view xdg_config_home, std::string_view home) {
  if (uid == 0) return "/etc/foster/units";
  if (!xdg_config_home.empty()) return std::string(xdg_config_home) + "/foster/units";
  return std::string(home) + "/.config/foster/units";
}

}  // namespace foster
