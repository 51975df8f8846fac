// Unit files from a real directory, and packed.

#include "common/unit_source/unit_source.hpp"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <gtest/gtest.h>
#include <random>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

namespace foster {
namespace {

namespace fs = std::filesystem;

class UnitSource : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = (fs::temp_directory_path() / "foster-units-XXXXXX").string();
    ASSERT_NE(mkdtemp(pattern.data()), nullptr);
    dir_ = pattern;
  }
  void TearDown() override { fs::remove_all(dir_); }

  std::string put(const std::string& name, const std::string& text) {
    std::ofstream(dir_ + "/" + name, std::ios::binary) << text;
    return dir_ + "/" + name;
  }

  /// What was read and what was said, with the directory's own name left out.
  std::string read(std::vector<std::string> paths) {
    for (std::string& path : paths)
      path = dir_ + path;
    const SourceSet sources = read_unit_sources(paths);
    std::string all;
    for (const SourceFile& file : sources.files)
      all += file.path + "=" + file.text + "\n";
    for (const Diagnostic& diagnostic : sources.unreadable)
      all += render(diagnostic);
    for (size_t at = all.find(dir_); at != std::string::npos; at = all.find(dir_)) {
      all.erase(at, dir_.size());
    }
    return all;
  }

  std::string dir_;
};

TEST_F(UnitSource, ADirectoryStandsForItsUnitFilesInOrder) {
  put("web.toml", "w");
  put("db.toml", "d");
  put("empty.toml", "");
  for (const char* other : {"web.toml~", "#web.toml#", ".#web.toml", ".hidden.toml", "web.toml.bak",
                            "readme.md", "#x.toml", "toml"}) {
    put(other, "no");
  }
  fs::create_directory(dir_ + "/sub");
  put("sub/deep.toml", "no");
  EXPECT_EQ(read({""}), "/db.toml=d\n/empty.toml=\n/web.toml=w\n");
  EXPECT_EQ(read({"/"}), "/db.toml=d\n/empty.toml=\n/web.toml=w\n");
}

TEST_F(UnitSource, FilesAreTakenAsNamedAndOnlyOnce) {
  put("b.toml", "b");
  put("a.toml", "a");
  put("other.conf", "c");
  EXPECT_EQ(read({"/b.toml", "/a.toml", "/b.toml"}), "/b.toml=b\n/a.toml=a\n");
  EXPECT_EQ(read({"/b.toml", "", "/other.conf"}), "/b.toml=b\n/a.toml=a\n/other.conf=c\n");
}

TEST_F(UnitSource, DropInsComeWithTheirDirectory) {
  put("web.toml", "w");
  fs::create_directory(dir_ + "/web.toml.d");
  put("web.toml.d/b.toml", "b");
  put("web.toml.d/a.toml", "a");
  put("web.toml.d/a.toml~", "no");
  fs::create_directory(dir_ + "/web.toml.d/deep.toml.d");
  put("web.toml.d/deep.toml.d/x.toml", "no");
  fs::create_directory(dir_ + "/.hidden.toml.d");
  put(".hidden.toml.d/x.toml", "no");
  put("file.toml.d", "no directory");
  const std::string said =
      "/web.toml=w\n/web.toml.d/a.toml=a\n/web.toml.d/b.toml=b\n"
      "/file.toml.d: cannot read: Not a directory\n";
  EXPECT_EQ(read({""}), said);
  EXPECT_EQ(read({"/web.toml"}), "/web.toml=w\n/web.toml.d/a.toml=a\n/web.toml.d/b.toml=b\n");
}

TEST_F(UnitSource, EachDirectoryIsALayer) {
  for (const char* folder : {"/usr", "/etc", "/run"})
    fs::create_directory(dir_ + folder);
  put("usr/a.toml", "");
  put("etc/a.toml", "");
  put("run/a.toml", "");
  put("one.toml", "");
  put("two.toml", "");
  std::vector<std::string> paths{"/one.toml", "/usr", "/etc", "/two.toml", "/one.toml", "/run"};
  for (std::string& path : paths)
    path = dir_ + path;
  const SourceSet sources = read_unit_sources(paths);
  std::string layers;
  for (const SourceFile& file : sources.files)
    layers += file.path.substr(dir_.size()) + "=" + std::to_string(file.layer) + " ";
  EXPECT_EQ(layers, "/one.toml=0 /usr/a.toml=1 /etc/a.toml=2 /two.toml=3 /run/a.toml=4 ");
  EXPECT_TRUE(sources.partial);
  EXPECT_FALSE(read_unit_sources(std::span(paths).subspan(1, 2)).partial);
}

TEST_F(UnitSource, TheNullDeviceIsAMask) {
  fs::create_symlink("/dev/null", dir_ + "/web.toml");
  const std::vector<std::string> paths{dir_};
  const SourceSet sources = read_unit_sources(paths);
  ASSERT_EQ(sources.files.size(), 1U);
  EXPECT_TRUE(sources.files[0].mask);
  EXPECT_TRUE(sources.unreadable.empty());
}

TEST_F(UnitSource, AnEmptyDirectoryIsNoMistake) {
  EXPECT_EQ(read({""}), "");
}

TEST_F(UnitSource, EachThatCannotBeReadIsToldAndStopsNoOther) {
  put("ok.toml", "fine");
  fs::create_directory(dir_ + "/dir.toml");
  ASSERT_EQ(mkfifo((dir_ + "/fifo.toml").c_str(), 0600), 0);
  fs::create_symlink("/dev/zero", dir_ + "/device.toml");
  fs::create_symlink("nowhere", dir_ + "/dangling.toml");
  fs::create_symlink("loop.toml", dir_ + "/loop.toml");
  put("huge.toml", std::string(kUnitFileMax + 1, '#'));
  const std::string said = R"(/ok.toml=fine
/dangling.toml: cannot read: No such file or directory
/device.toml: cannot read: it is a device, not a file
/dir.toml: cannot read: it is a directory, not a file
/fifo.toml: cannot read: it is a FIFO (a named pipe), not a file
/huge.toml: cannot read: it is longer than 1 MiB
/loop.toml: cannot read: Too many levels of symbolic links
)";
  EXPECT_EQ(read({""}), said);
  EXPECT_EQ(read({"/ok.toml", "/dangling.toml", "/device.toml", "/dir.toml", "/fifo.toml",
                  "/huge.toml", "/loop.toml"}),
            said);
  EXPECT_EQ(read({"/missing", "/missing.toml", "/ok.toml/x.toml", "/ok.toml"}),
            R"(/ok.toml=fine
/missing: cannot read: No such file or directory
/missing.toml: cannot read: No such file or directory
/ok.toml/x.toml: cannot read: Not a directory
)");
}

TEST_F(UnitSource, ASocketIsNoUnit) {
  const int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  const std::string path = dir_ + "/s.toml";
  path.copy(address.sun_path, sizeof address.sun_path - 1);
  ASSERT_EQ(bind(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
  close(fd);
  EXPECT_EQ(read({"/s.toml"}), "/s.toml: cannot read: it is a socket, not a file\n");
}

TEST_F(UnitSource, WhatMayNotBeRead) {
  put("secret.toml", "s");
  put("open.toml", "o");
  fs::create_directory(dir_ + "/closed");
  ASSERT_EQ(chmod((dir_ + "/secret.toml").c_str(), 0), 0);
  ASSERT_EQ(chmod((dir_ + "/closed").c_str(), 0), 0);
  ASSERT_EQ(chmod(dir_.c_str(), 0755), 0);
  // Root may read everything: a child without its rights looks.
  std::string said;
  int ends[2];
  ASSERT_EQ(pipe(ends), 0);
  const pid_t child = fork();
  if (child == 0) {
    if (geteuid() == 0 && setuid(65534) != 0) _exit(1);
    said = read({"", "/closed"});
    _exit(write(ends[1], said.data(), said.size()) < 0);
  }
  close(ends[1]);
  char buffer[4096];
  for (ssize_t got = 0; (got = ::read(ends[0], buffer, sizeof buffer)) > 0;)
    said.append(buffer, static_cast<size_t>(got));
  close(ends[0]);
  ASSERT_EQ(waitpid(child, nullptr, 0), child);
  chmod((dir_ + "/closed").c_str(), 0700);
  EXPECT_EQ(said,
            "/open.toml=o\n/secret.toml: cannot read: Permission denied\n"
            "/closed: cannot read: Permission denied\n");
}

TEST_F(UnitSource, FilesThatSayNothingOfTheirSizeAreReadToTheirEnd) {
  const std::vector<std::string> paths{"/proc/self/status"};
  const SourceSet sources = read_unit_sources(paths);
  ASSERT_EQ(sources.files.size(), 1U);
  EXPECT_GT(sources.files[0].text.size(), 500U);
  EXPECT_TRUE(sources.files[0].text.ends_with('\n'));
}

bool same(const std::vector<SourceFile>& one, const std::vector<SourceFile>& other) {
  return std::ranges::equal(one, other, [](const SourceFile& a, const SourceFile& b) {
    return a.path == b.path && a.text == b.text && a.layer == b.layer && a.mask == b.mask;
  });
}

const std::vector<SourceFile> kFiles{{"/u/a.toml", "[service]\n", 0, false},
                                     {"", "", 7, true},
                                     {"/u/a.toml.d/b.toml", std::string("\0\xff", 2), 2, false}};

TEST(PackedSources, ComeBackAsTheyWere) {
  for (const std::vector<SourceFile>& files :
       {kFiles, {}, {{"/u/x.toml", std::string(70'000, 'x')}}}) {
    const auto unpacked = unpack(pack(files));
    ASSERT_TRUE(unpacked);
    EXPECT_TRUE(same(*unpacked, files));
  }
}

TEST(PackedSources, EveryDamageIsNoticed) {
  const std::string packed = pack(kFiles);
  for (size_t length = 0; length < packed.size(); ++length) {
    EXPECT_FALSE(unpack(std::string_view(packed).substr(0, length))) << length;
  }
  EXPECT_FALSE(unpack(packed + "x"));
  for (size_t at = 0; at < packed.size(); ++at) {
    for (int bit = 0; bit < 8; ++bit) {
      std::string damaged = packed;
      damaged[at] = static_cast<char>(damaged[at] ^ (1 << bit));
      EXPECT_FALSE(unpack(damaged)) << "byte " << at << " bit " << bit;
    }
  }
  EXPECT_EQ(unpack("").error().message, "cannot unpack unit files: they are cut short");
}

TEST(PackedSources, RandomBytesAreRefused) {
  std::mt19937 random(3);
  for (int i = 0; i < 1000; ++i) {
    std::string bytes = pack(kFiles).substr(0, 8);
    for (size_t n = random() % 200; n > 0; --n)
      bytes += static_cast<char>(random());
    EXPECT_FALSE(unpack(bytes));
  }
}

}  // namespace
}  // namespace foster
