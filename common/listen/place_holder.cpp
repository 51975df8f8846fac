#include "common/listen/place_holder.hpp"

#include <algorithm>
#include <arpa/inet.h>
#include <charconv>
#include <cstdio>
#include <cstring>
#include <dirent.h>
#include <fcntl.h>
#include <memory>
#include <netinet/in.h>
#include <optional>
#include <string_view>
#include <vector>

#include "common/ipc/unique_fd.hpp"
#include "common/listen/socket_address.hpp"

namespace foster {
namespace {

struct FoundSocket {
  uint64_t inode = 0;
  std::optional<uint32_t> user;
};

std::string read_file(const std::string& path) {
  const UniqueFd file(open(path.c_str(), O_RDONLY | O_CLOEXEC));
  std::string text;
  char buffer[16 * 1024];
  for (ssize_t count = 1; file && count > 0;) {
    count = read(file.get(), buffer, sizeof buffer);
    if (count > 0) text.append(buffer, static_cast<size_t>(count));
  }
  return text;
}

std::vector<std::string> lines_of(const std::string& path) {
  const std::string text = read_file(path);
  std::vector<std::string> lines;
  for (size_t at = 0; at < text.size();) {
    const size_t end = std::min(text.find('\n', at), text.size());
    lines.push_back(text.substr(at, end - at));
    at = end + 1;
  }
  return lines;
}

/// An address as /proc/net/tcp has it: its words in the machine's own order, in hexadecimal.
std::string hex_words(const void* bytes, size_t size) {
  std::string text;
  for (size_t at = 0; at < size; at += sizeof(uint32_t)) {
    uint32_t word = 0;
    std::memcpy(&word, static_cast<const char*>(bytes) + at, sizeof word);
    char digits[9];
    std::snprintf(digits, sizeof digits, "%08X", word);
    text += digits;
  }
  return text;
}

bool all_zeros(std::string_view digits) {
  return digits.find_first_not_of('0') == std::string_view::npos;
}

/// The next word of a line, which is taken off it.
std::string_view next_word(std::string_view& line) {
  line.remove_prefix(std::min(line.find_first_not_of(' '), line.size()));
  const std::string_view word = line.substr(0, line.find(' '));
  line.remove_prefix(word.size());
  return word;
}

std::string_view word_after(std::string_view& line, int others) {
  for (int i = 0; i < others; ++i)
    next_word(line);
  return next_word(line);
}

/// All ones where it is no number: nobody looks for that.
uint64_t number(std::string_view word, int base) {
  uint64_t value = 0;
  const auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), value, base);
  return error == std::errc() && end == word.data() + word.size() ? value : UINT64_MAX;
}

/// The first that has the port and stands in the way of the address, among those of one family.
std::optional<FoundSocket> in_table(const std::string& path, bool tcp, const std::string& wanted,
                                    uint32_t port) {
  constexpr uint64_t kListening = 10;
  for (const std::string& line : lines_of(path)) {
    std::string_view rest = line;
    const std::string_view local = word_after(rest, 1);
    const uint64_t state = number(word_after(rest, 1), 16);
    const uint64_t user = number(word_after(rest, 3), 10);
    const uint64_t inode = number(word_after(rest, 1), 10);
    const size_t colon = local.find(':');
    if (colon == std::string_view::npos || number(local.substr(colon + 1), 16) != port) continue;
    const std::string_view address = local.substr(0, colon);
    const bool overlaps = all_zeros(address) || all_zeros(wanted) || wanted == address;
    if (overlaps && (!tcp || state == kListening))
      return FoundSocket{inode, static_cast<uint32_t>(user)};
  }
  return std::nullopt;
}

std::optional<FoundSocket> internet_socket(const ListenAddress& address) {
  const Result<SocketAddress> wanted = socket_address(address);
  if (!wanted) return std::nullopt;
  const bool tcp = address.kind == SocketKind::tcp;
  const std::string table = std::string("/proc/self/net/") + (tcp ? "tcp" : "udp");
  const bool v4 = wanted->family() == AF_INET;
  std::string digits = "0";
  if (v4) {
    digits = hex_words(&reinterpret_cast<const sockaddr_in*>(wanted->get())->sin_addr, 4);
  } else {
    digits = hex_words(&reinterpret_cast<const sockaddr_in6*>(wanted->get())->sin6_addr, 16);
  }
  const bool any = all_zeros(digits);
  auto found = v4 || any ? in_table(table, tcp, digits, address.port) : std::nullopt;
  if (!found) found = in_table(table + "6", tcp, v4 ? "none" : digits, address.port);
  return found;
}

std::optional<FoundSocket> unix_socket(const std::string& path) {
  constexpr uint64_t kListening = 0x10000;
  constexpr uint64_t kDatagrams = 2;
  for (const std::string& line : lines_of("/proc/self/net/unix")) {
    std::string_view rest = line;
    const uint64_t flags = number(word_after(rest, 3), 16);
    const uint64_t type = number(next_word(rest), 16);
    const uint64_t inode = number(word_after(rest, 1), 10);
    if (rest.empty() || rest.substr(1) != path || flags == UINT64_MAX) continue;
    if ((flags & kListening) != 0 || type == kDatagrams) return FoundSocket{inode, std::nullopt};
  }
  return std::nullopt;
}

bool has_socket(const std::string& process, const std::string& link) {
  const std::string folder = "/proc/" + process + "/fd";
  const std::unique_ptr<DIR, int (*)(DIR*)> descriptors(opendir(folder.c_str()), closedir);
  if (!descriptors) return false;
  while (const dirent* entry = readdir(descriptors.get())) {
    char target[64];
    const ssize_t size = readlinkat(dirfd(descriptors.get()), entry->d_name, target, sizeof target);
    if (size > 0 && link == std::string_view(target, static_cast<size_t>(size))) return true;
  }
  return false;
}

/// Of several processes that share it the one with the lowest number: most likely the others'
/// parent.
std::string process_with(uint64_t inode) {
  const std::string link = "socket:[" + std::to_string(inode) + "]";
  const std::unique_ptr<DIR, int (*)(DIR*)> processes(opendir("/proc"), closedir);
  std::string first;
  while (const dirent* entry = processes ? readdir(processes.get()) : nullptr) {
    const std::string number = entry->d_name;
    if (number.find_first_not_of("0123456789") != std::string::npos) continue;
    const bool later =
        !first.empty() &&
        (number.size() != first.size() ? number.size() > first.size() : number > first);
    if (!later && has_socket(number, link)) first = number;
  }
  if (first.empty()) return {};
  std::string name = read_file("/proc/" + first + "/comm");
  while (name.ends_with('\n'))
    name.pop_back();
  return (name.empty() ? "" : name + ", ") + "process " + first;
}

}  // namespace

std::string holder_of(const ListenAddress& address) {
  std::optional<FoundSocket> found;
  if (address.kind == SocketKind::tcp || address.kind == SocketKind::udp)
    found = internet_socket(address);
  else if (!address.path.empty())
    found = unix_socket(address.path);
  if (!found) return {};
  std::string process = process_with(found->inode);
  if (!process.empty() || !found->user) return process;
  return "a process of user " + std::to_string(*found->user);
}

bool unix_socket_there(const std::string& path) {
  return unix_socket(path).has_value();
}

}  // namespace foster
