#include "daemon/manager/held_file.hpp"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <gtest/gtest.h>

#include "common/ipc/unique_fd.hpp"

namespace foster::manager {
namespace {

constexpr std::string_view kMounts =
    "22 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw\n"
    "220 22 0:50 / /home/a\\040b rw,nosuid shared:7 master:2 - fuse.sshfs host:/ rw,user_id=0\n"
    "31 22 0:27 / /srv rw - nfs4 server:/srv rw,addr=10.0.0.1\n"
    "40 22 0:28 / /x\n";

TEST(HeldFile, TheTypeOfAMountIsAfterAnyNumberOfOptionalFields) {
  EXPECT_EQ(mount_type(kMounts, 22), "ext4");
  EXPECT_EQ(mount_type(kMounts, 220), "fuse.sshfs");
  EXPECT_EQ(mount_type(kMounts, 31), "nfs4");
  EXPECT_EQ(mount_type(kMounts, 40), "");
  EXPECT_EQ(mount_type(kMounts, 2), "");
  EXPECT_EQ(mount_type(kMounts, -1), "");
  EXPECT_EQ(mount_type("", 22), "");
}

TEST(HeldFile, WhatAsksAServer) {
  for (const char* type : {"fuse", "fuseblk", "fuse.sshfs", "nfs", "nfs4", "cifs", "smb3", "9p"})
    EXPECT_TRUE(asks_a_server(type)) << type;
  for (const char* type : {"ext4", "xfs", "btrfs", "tmpfs", "overlay", "proc", "nfsd", ""})
    EXPECT_FALSE(asks_a_server(type)) << type;
}

TEST(HeldFile, WhatNeedsNoServerCanBeHeld) {
  int pipe_ends[2];
  ASSERT_EQ(pipe(pipe_ends), 0);
  const UniqueFd reads(pipe_ends[0]);
  const UniqueFd writes(pipe_ends[1]);
  const UniqueFd memory(memfd_create("held", MFD_CLOEXEC));
  const UniqueFd folder(open("/proc", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  const UniqueFd device(open("/dev/null", O_RDONLY | O_CLOEXEC));
  for (const UniqueFd* fd : {&reads, &memory, &folder, &device}) {
    const auto held = can_be_held(fd->get());
    EXPECT_TRUE(held.has_value()) << held.error().message;
  }
  EXPECT_TRUE(is_file(memory.get()) && is_file(folder.get()));
  EXPECT_FALSE(is_file(reads.get()) || is_file(device.get()));
}

}  // namespace
}  // namespace foster::manager
