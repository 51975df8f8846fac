// The packed form: a magic word, a checksum of all that follows, the number of files, and for each
// file its layer, whether it is a mask, the lengths of its path and text and then both. Numbers are
// the machine's own: the bytes are for another process of this boot.

#include <cstddef>
#include <cstdint>
#include <cstring>

#include "common/unit_source/unit_source.hpp"

namespace foster {
namespace {

constexpr char kMagic[8] = {'F', 'U', 'N', 'I', 'T', 'S', '0', '2'};

struct Header {
  char magic[8];
  uint64_t checksum;  // of everything behind it
  uint64_t size;      // of all bytes
  uint64_t count;
};

struct FileHead {
  uint32_t path;  // bytes
  uint32_t text;  // bytes
  uint32_t layer;
  uint32_t mask;  // 0 or 1
};

/// Tells damage, not malice. Eight bytes a step: a thousand units are packed while a daemon starts.
uint64_t checksum_of(std::string_view bytes) {
  constexpr uint64_t kPrime = 0x100000001b3;
  uint64_t sum = 0xcbf29ce484222325;
  while (!bytes.empty()) {
    uint64_t word = 0;
    const size_t length = bytes.size() < sizeof word ? bytes.size() : sizeof word;
    std::memcpy(&word, bytes.data(), length);
    sum = (sum ^ word) * kPrime;
    sum ^= sum >> 32;
    bytes.remove_prefix(length);
  }
  return sum;
}

template <class T>
void append(std::string& bytes, const T& value) {
  bytes.append(reinterpret_cast<const char*>(&value), sizeof value);
}

std::unexpected<Error> damaged(std::string_view why) {
  return failure("unpack unit files", why);
}

constexpr size_t kChecked = offsetof(Header, size);

}  // namespace

std::string pack(const std::vector<SourceFile>& files) {
  size_t size = sizeof(Header);
  for (const SourceFile& file : files)
    size += sizeof(FileHead) + file.path.size() + file.text.size();
  std::string bytes;
  bytes.reserve(size);
  Header header{{}, 0, size, files.size()};
  std::memcpy(header.magic, kMagic, sizeof kMagic);
  append(bytes, header);
  for (const SourceFile& file : files) {
    append(bytes, FileHead{static_cast<uint32_t>(file.path.size()),
                           static_cast<uint32_t>(file.text.size()), file.layer, file.mask});
    bytes += file.path;
    bytes += file.text;
  }
  const uint64_t checksum = checksum_of(std::string_view(bytes).substr(kChecked));
  std::memcpy(bytes.data() + offsetof(Header, checksum), &checksum, sizeof checksum);
  return bytes;
}

Result<std::vector<SourceFile>> unpack(std::string_view bytes) {
  Header header{};
  if (bytes.size() < sizeof header) return damaged("they are cut short");
  std::memcpy(&header, bytes.data(), sizeof header);
  if (std::memcmp(header.magic, kMagic, sizeof kMagic) != 0) return damaged("they are none");
  if (header.size != bytes.size()) return damaged("their length is wrong");
  if (header.checksum != checksum_of(bytes.substr(kChecked))) return damaged("they are damaged");
  std::vector<SourceFile> files;
  bytes.remove_prefix(sizeof header);
  for (uint64_t i = 0; i < header.count; ++i) {
    FileHead head{};
    if (bytes.size() < sizeof head) return damaged("they are cut short");
    std::memcpy(&head, bytes.data(), sizeof head);
    bytes.remove_prefix(sizeof head);
    if (bytes.size() < uint64_t{head.path} + head.text) return damaged("they are cut short");
    files.push_back({std::string(bytes.substr(0, head.path)),
                     std::string(bytes.substr(head.path, head.text)), head.layer, head.mask != 0});
    bytes.remove_prefix(size_t{head.path} + head.text);
  }
  if (!bytes.empty()) return damaged("something follows them");
  return files;
}

}  // namespace foster
