#include "daemon/manager/process_tree.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <memory>

#include "common/ipc/unique_fd.hpp"

namespace foster::manager {
namespace {

constexpr size_t kChunk = 16 * 1024;
constexpr size_t kFileMax = 4 * 1024 * 1024;  // more than execve(2) takes of an environment
constexpr int64_t kNsPerSecond = 1'000'000'000;

/// Numbers of /proc/<pid>/stat after the state, by their place there.
constexpr size_t kParent = 0;
constexpr size_t kGroup = 1;
constexpr size_t kSession = 2;
constexpr size_t kStart = 18;

std::string path_of(int32_t pid, const char* file) {
  return "/proc/" + std::to_string(pid) + "/" + file;
}

std::optional<std::string> read_file(const std::string& path) {
  const UniqueFd fd(open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!fd) return std::nullopt;
  std::string text;
  while (text.size() < kFileMax) {
    const size_t filled = text.size();
    text.resize(filled + kChunk);
    const ssize_t length = read(fd.get(), text.data() + filled, kChunk);
    text.resize(filled + static_cast<size_t>(length > 0 ? length : 0));
    if (length < 0 && errno == EINTR) continue;
    if (length < 0) return std::nullopt;
    if (length == 0) break;
  }
  return text;
}

/// Takes the next of numbers that are separated by blanks; nothing at their end.
std::optional<int64_t> take_number(std::string_view& text) {
  while (text.starts_with(' '))
    text.remove_prefix(1);
  int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{}) return std::nullopt;
  text.remove_prefix(static_cast<size_t>(end - text.data()));
  return value;
}

Instant instant_of_ticks(int64_t ticks) {
  static const int64_t ticks_per_second = sysconf(_SC_CLK_TCK);
  return {ticks * (kNsPerSecond / ticks_per_second)};
}

struct CloseDirectory {
  void operator()(DIR* directory) const { closedir(directory); }
};

void append_numbers(std::string_view text, std::vector<int32_t>& numbers) {
  while (const auto number = take_number(text))
    numbers.push_back(static_cast<int32_t>(*number));
}

}  // namespace

std::optional<ProcessFacts> parse_process_facts(std::string_view text) {
  std::string_view rest = text;
  const auto pid = take_number(rest);
  const size_t name_start = text.find('(');
  const size_t name_end = text.rfind(')');
  if (!pid || name_start == std::string_view::npos || name_end == std::string_view::npos ||
      name_end + 2 >= text.size())
    return std::nullopt;
  ProcessFacts facts{.pid = static_cast<int32_t>(*pid),
                     .name = std::string(text.substr(name_start + 1, name_end - name_start - 1)),
                     .state = text[name_end + 2]};
  rest = text.substr(name_end + 3);
  std::array<int64_t, kStart + 1> numbers{};
  for (int64_t& number : numbers) {
    const auto taken = take_number(rest);
    if (!taken) return std::nullopt;
    number = *taken;
  }
  facts.parent = static_cast<int32_t>(numbers[kParent]);
  facts.group = static_cast<int32_t>(numbers[kGroup]);
  facts.session = static_cast<int32_t>(numbers[kSession]);
  facts.started = instant_of_ticks(numbers[kStart]);
  return facts;
}

std::optional<ProcessFacts> process_facts(int32_t pid) {
  const auto text = read_file(path_of(pid, "stat"));
  return text ? parse_process_facts(*text) : std::nullopt;
}

std::optional<uid_t> owner_of(int32_t pid) {
  struct stat found {};
  if (stat(path_of(pid, "").c_str(), &found) != 0) return std::nullopt;
  return found.st_uid;
}

std::vector<int32_t> children_of(int32_t pid) {
  std::vector<int32_t> children;
  const std::string tasks = path_of(pid, "task");
  const std::unique_ptr<DIR, CloseDirectory> directory(opendir(tasks.c_str()));
  if (!directory) return children;
  while (const dirent* entry = readdir(directory.get())) {
    if (entry->d_name[0] == '.') continue;
    const auto text = read_file(tasks + "/" + entry->d_name + "/children");
    if (text) append_numbers(*text, children);
  }
  return children;
}

InitialEnvironment::InitialEnvironment(int32_t pid)
    : text_(read_file(path_of(pid, "environ")).value_or("")) {}

std::optional<std::string> InitialEnvironment::value(std::string_view name) const {
  std::string_view rest = text_;
  while (!rest.empty()) {
    const std::string_view entry = rest.substr(0, rest.find('\0'));
    if (entry.size() > name.size() && entry.starts_with(name) && entry[name.size()] == '=')
      return std::string(entry.substr(name.size() + 1));
    rest.remove_prefix(std::min(rest.size(), entry.size() + 1));
  }
  return std::nullopt;
}

bool may_be_executing(int32_t pid) {
  char program = 0;
  // Threads of the kernel and zombies have none.
  if (readlink(path_of(pid, "exe").c_str(), &program, 1) < 0) return false;
  const auto arguments = read_file(path_of(pid, "cmdline"));
  const auto environment = read_file(path_of(pid, "environ"));
  return arguments && environment && (arguments->empty() || !environment->empty());
}

std::optional<ResidentMemory> resident_memory(int32_t pid) {
  const auto text = read_file(path_of(pid, "statm"));
  if (!text) return std::nullopt;
  std::string_view rest = *text;
  static const int64_t page_bytes = sysconf(_SC_PAGESIZE);
  const auto size = take_number(rest);
  const auto resident = take_number(rest);
  const auto shared = take_number(rest);
  if (!size || !resident || !shared) return std::nullopt;
  const int64_t own = std::max<int64_t>(*resident - *shared, 0);
  return ResidentMemory{.own = static_cast<uint64_t>(own * page_bytes),
                        .shared = static_cast<uint64_t>(*shared * page_bytes)};
}

}  // namespace foster::manager
