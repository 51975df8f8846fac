// Unix sockets and fifos: their files.

#include <cerrno>
#include <fcntl.h>
#include <filesystem>
#include <fstream>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/os/listen/own_network.hpp"

namespace foster {
namespace {

namespace fs = std::filesystem;

using testing::as_ordinary_user;
using testing::connected;
using testing::opened;
using testing::refused;
using testing::spec_of;
using testing::this_process;

class Path : public testing::OwnFolder {
 protected:
  [[nodiscard]] struct stat file(const std::string& name) const {
    struct stat found {};
    EXPECT_EQ(lstat(path(name).c_str(), &found), 0) << name;
    return found;
  }
  [[nodiscard]] bool there(const std::string& name) const {
    return fs::exists(fs::symlink_status(path(name)));
  }
  [[nodiscard]] bool empty() const { return fs::is_empty(folder_); }
};

TEST_F(Path, TheFileHasItsModeWhateverTheUmask) {
  SocketSpec spec = spec_of(at("unix", "s"));
  const mode_t before = umask(0077);
  const UniqueFd open_to_all = opened(spec);
  spec.listen = at("fifo", "f");
  spec.kind = SocketKind::fifo;
  spec.mode = 0620;
  const UniqueFd fifo = opened(spec);
  EXPECT_EQ(umask(before), 0077U);
  EXPECT_EQ(file("s").st_mode, S_IFSOCK | 0666U);
  EXPECT_EQ(file("f").st_mode, S_IFIFO | 0620U);
}

TEST_F(Path, DirectoriesAreMade) {
  const UniqueFd fd = opened(at("unix-dgram", "a/b/s"));
  EXPECT_EQ(file("a").st_mode, S_IFDIR | 0755U);
  EXPECT_EQ(file("a/b").st_mode, S_IFDIR | 0755U);
  EXPECT_TRUE(connected(at("unix-dgram", "a/b/s")));
}

TEST_F(Path, TheFileMayBelongToAnother) {
  if (geteuid() != 0) GTEST_SKIP() << "the rights of root are missing";
  SocketSpec spec = spec_of(at("unix", "s"));
  spec.user = "4711";
  spec.group = "root";
  const UniqueFd fd = opened(spec);
  EXPECT_EQ(file("s").st_uid, 4711U);
  EXPECT_EQ(file("s").st_gid, 0U);
  spec = spec_of(at("fifo", "f"));
  spec.user = "nobody";
  const UniqueFd fifo = opened(spec);
  EXPECT_EQ(file("f").st_uid, 65534U);
  EXPECT_EQ(file("f").st_gid, 65534U);
}

TEST_F(Path, AnOwnerWhoIsNot) {
  SocketSpec spec = spec_of(at("unix", "s"));
  spec.user = "no-such-user";
  EXPECT_EQ(refused(spec), "cannot listen on " + spec.listen +
                               ": cannot give it to the user no-such-user: there is no such user");
  EXPECT_TRUE(empty());
}

TEST_F(Path, AFailureLeavesNothingBehind) {
  if (geteuid() != 0) GTEST_SKIP() << "the rights of root are missing";
  ASSERT_EQ(chmod(folder_.c_str(), 0777), 0);
  SocketSpec spec = spec_of(at("unix", "a/b/s"));
  spec.user = "0";
  EXPECT_EQ(as_ordinary_user([&] { return refused(spec); }),
            "cannot listen on " + spec.listen + ": cannot change the owner of " + path("a/b/s") +
                ": Operation not permitted");
  EXPECT_TRUE(empty());
  spec = spec_of(at("fifo", "a/f"));
  spec.user = "0";
  EXPECT_EQ(as_ordinary_user([&] { return refused(spec); }),
            "cannot listen on " + spec.listen + ": cannot change the owner of " + path("a/f") +
                ": Operation not permitted");
  EXPECT_TRUE(empty());
}

TEST_F(Path, WhatIsStaleIsRemoved) {
  for (const char* kind : {"unix", "unix-dgram", "unix-seqpacket"}) {
    const std::string address = at(kind, "s");
    UniqueFd(opened(address)).reset();
    EXPECT_TRUE(there("s"));
    const UniqueFd again = opened(address);
    EXPECT_TRUE(connected(address)) << kind;
    remove_socket_file(spec_of(address), again.get());
    EXPECT_FALSE(there("s"));
  }
}

TEST_F(Path, WhatIsInUseStays) {
  for (const char* kind : {"unix", "unix-dgram", "unix-seqpacket"}) {
    const std::string address = at(kind, "s");
    const UniqueFd fd = opened(address);
    EXPECT_EQ(refused(address),
              "cannot listen on " + address + ": already in use by " + this_process());
    EXPECT_TRUE(connected(address)) << kind;
    remove_socket_file(spec_of(address), fd.get());
  }
}

TEST_F(Path, AnotherKindOfSocketIsInUseToo) {
  const UniqueFd fd = opened(at("unix-dgram", "s"));
  EXPECT_EQ(refused(at("unix", "s")),
            "cannot listen on " + at("unix", "s") + ": already in use by " + this_process());
}

TEST_F(Path, WhatIsNoSocketIsLeftAlone) {
  std::ofstream(path("s")) << "text";
  fs::create_directory(path("d"));
  fs::create_symlink("nowhere", path("l"));
  EXPECT_EQ(refused(at("unix", "s")), "cannot listen on " + at("unix", "s") + ": " + path("s") +
                                          " is a file, which is left alone");
  EXPECT_EQ(refused(at("fifo", "d")), "cannot listen on " + at("fifo", "d") + ": " + path("d") +
                                          " is a directory, which is left alone");
  EXPECT_EQ(refused(at("fifo", "l")), "cannot listen on " + at("fifo", "l") + ": " + path("l") +
                                          " is a symbolic link, which is left alone");
  EXPECT_EQ(fs::file_size(path("s")), 4U);
  EXPECT_EQ(refused(at("unix", "s/x")),
            "cannot listen on " + at("unix", "s/x") + ": Not a directory");
}

TEST_F(Path, AnAbstractNameHasNoFile) {
  const std::string address = "unix://@foster-test-" + std::to_string(getpid());
  const UniqueFd fd = opened(address);
  EXPECT_TRUE(connected(address));
  EXPECT_EQ(refused(address),
            "cannot listen on " + address + ": already in use by " + this_process());
  EXPECT_TRUE(fits_spec(fd.get(), spec_of(address)));
  EXPECT_EQ(descriptor_text(fd.get()), "unix " + address.substr(7) + ", listening");
}

TEST_F(Path, OnlyItsOwnFileIsRemoved) {
  const SocketSpec spec = spec_of(at("unix", "s"));
  const UniqueFd old = opened(spec);
  fs::remove(path("s"));
  const UniqueFd fd = opened(spec);
  remove_socket_file(spec, old.get());
  EXPECT_TRUE(there("s"));
  EXPECT_TRUE(connected(spec.listen));
  EXPECT_FALSE(fits_spec(old.get(), spec));
  EXPECT_TRUE(fits_spec(fd.get(), spec));
  remove_socket_file(spec, fd.get());
  EXPECT_TRUE(empty());
}

TEST_F(Path, AFifoHasNoEnd) {
  const SocketSpec spec = spec_of(at("fifo", "f"));
  const UniqueFd fd = opened(spec);
  EXPECT_EQ(fcntl(fd.get(), F_GETFL) & O_NONBLOCK, 0);
  { std::ofstream(path("f")) << "one"; }
  { std::ofstream(path("f")) << "two"; }
  char text[6];
  ASSERT_EQ(read(fd.get(), text, sizeof text), 6);
  EXPECT_EQ(std::string(text, sizeof text), "onetwo");
  EXPECT_FALSE(is_listening(fd.get()));
  EXPECT_EQ(descriptor_text(fd.get()), "fifo " + path("f"));
  EXPECT_TRUE(fits_spec(fd.get(), spec));
  remove_socket_file(spec, fd.get());
  EXPECT_TRUE(empty());
  EXPECT_FALSE(fits_spec(fd.get(), spec));
}

TEST_F(Path, AFifoThatIsThereIsUsed) {
  ASSERT_EQ(mkfifo(path("f").c_str(), 0600), 0);
  const ino_t before = file("f").st_ino;
  SocketSpec spec = spec_of(at("fifo", "f"));
  EXPECT_TRUE(is_fifo_there(spec));
  const UniqueFd fd = opened(spec);
  EXPECT_EQ(file("f").st_ino, before);
  EXPECT_EQ(file("f").st_mode, S_IFIFO | 0600U) << "it is somebody else's";
  spec.mode = 0620;
  const UniqueFd again = opened(spec);
  EXPECT_EQ(file("f").st_mode, S_IFIFO | 0620U);
  spec.listen = at("fifo", "g");
  EXPECT_FALSE(is_fifo_there(spec));
}

TEST_F(Path, OneThatWasShutDownFitsNoMore) {
  for (const char* kind : {"unix", "unix-seqpacket"}) {
    const SocketSpec spec = spec_of(at(kind, kind));
    const UniqueFd fd = opened(spec);
    EXPECT_TRUE(fits_spec(fd.get(), spec));
    ASSERT_EQ(shutdown(fd.get(), SHUT_RD), 0);
    EXPECT_FALSE(fits_spec(fd.get(), spec)) << kind;
  }
  const SocketSpec spec = spec_of("tcp://127.0.0.1:0");
  const UniqueFd fd = opened(spec);
  EXPECT_TRUE(fits_spec(fd.get(), spec));
  ASSERT_EQ(shutdown(fd.get(), SHUT_RDWR), 0);
  EXPECT_FALSE(fits_spec(fd.get(), spec));
}

}  // namespace
}  // namespace foster
