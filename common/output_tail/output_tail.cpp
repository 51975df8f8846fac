#include "common/output_tail/output_tail.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <memory>

namespace foster {
namespace {

std::string directory_of(std::string_view runtime_directory) {
  return std::string(runtime_directory) + "/output";
}

/// Everything that is kept, in the order it was written, beginning with a whole line.
std::string kept_text(const foster_output_tail& tail) {
  std::string text;
  if (tail.written <= FOSTER_TAIL_BYTES) {
    text.assign(tail.bytes, tail.written);
    return text;
  }
  const size_t oldest = tail.written % FOSTER_TAIL_BYTES;
  text.assign(tail.bytes + oldest, FOSTER_TAIL_BYTES - oldest);
  text.append(tail.bytes, oldest);
  const size_t first_end = text.find('\n');
  return first_end == std::string::npos ? text : text.substr(first_end + 1);
}

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  for (size_t begin = 0; begin < text.size();) {
    const size_t end = std::min(text.find('\n', begin), text.size());
    lines.push_back(text.substr(begin, end - begin));
    begin = end + 1;
  }
  return lines;
}

}  // namespace

std::string output_tail_path(std::string_view runtime_directory, std::string_view unit) {
  return directory_of(runtime_directory) + "/" + std::string(unit);
}

Result<UniqueFd> open_output_tail(std::string_view runtime_directory, std::string_view unit) {
  const std::string directory = directory_of(runtime_directory);
  if (mkdir(directory.c_str(), 0700) != 0 && errno != EEXIST)
    return system_failure("make " + directory, errno);
  const std::string path = output_tail_path(runtime_directory, unit);
  UniqueFd file(open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600));
  if (!file) return system_failure("open " + path, errno);
  if (ftruncate(file.get(), sizeof(foster_output_tail)) != 0)
    return system_failure("make room in " + path, errno);
  return file;
}

std::vector<std::string> last_output_lines(std::string_view runtime_directory,
                                           std::string_view unit, size_t most) {
  const std::string path = output_tail_path(runtime_directory, unit);
  const UniqueFd file(open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW));
  if (!file) return {};
  const auto tail = std::make_unique<foster_output_tail>();
  const ssize_t taken = pread(file.get(), tail.get(), sizeof *tail, 0);
  if (taken != static_cast<ssize_t>(sizeof *tail) || tail->magic != FOSTER_TAIL_MAGIC) return {};
  std::vector<std::string> lines = lines_of(kept_text(*tail));
  if (lines.size() > most) lines.erase(lines.begin(), lines.end() - static_cast<ptrdiff_t>(most));
  return lines;
}

void remove_output_tails(std::string_view runtime_directory) {
  const std::string directory = directory_of(runtime_directory);
  DIR* const listing = opendir(directory.c_str());
  if (listing == nullptr) return;
  // "." and ".." are directories, which unlinkat refuses.
  while (const dirent* entry = readdir(listing))
    unlinkat(dirfd(listing), entry->d_name, 0);
  closedir(listing);
  rmdir(directory.c_str());
}

}  // namespace foster
