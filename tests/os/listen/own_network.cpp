#include "tests/os/listen/own_network.hpp"

#include <cstdlib>
#include <fcntl.h>
#include <filesystem>
#include <fstream>
#include <net/if.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/listen/socket_address.hpp"

namespace foster::testing {
namespace {

constexpr uid_t kNobody = 65534;

bool raise_loopback() {
  const UniqueFd control(socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  ifreq request{};
  std::string("lo").copy(request.ifr_name, sizeof request.ifr_name);
  request.ifr_flags = IFF_UP;
  return ioctl(control.get(), SIOCSIFFLAGS, &request) == 0;
}

bool enter_network() {
  return unshare(CLONE_NEWNET) == 0 && raise_loopback();
}

}  // namespace

void OwnNetwork::SetUp() {
  static const bool own = enter_network();
  if (!own) GTEST_SKIP() << "a network namespace of its own, which is for root, is missing";
}

void OwnFolder::SetUp() {
  std::string pattern = (std::filesystem::temp_directory_path() / "foster-listen-XXXXXX").string();
  ASSERT_NE(mkdtemp(pattern.data()), nullptr);
  folder_ = pattern;
}

void OwnFolder::TearDown() {
  std::filesystem::remove_all(folder_);
}

SocketSpec spec_of(const std::string& listen) {
  SocketSpec spec;
  spec.name = "test";
  spec.listen = listen;
  const auto address = parse_listen_address(listen);
  EXPECT_TRUE(address) << listen;
  if (address) spec.kind = address->kind;
  return spec;
}

UniqueFd opened(const SocketSpec& spec) {
  Result<UniqueFd> fd = open_socket(spec);
  EXPECT_TRUE(fd) << fd.error().message;
  return fd ? std::move(*fd) : UniqueFd();
}

UniqueFd opened(const std::string& listen) {
  return opened(spec_of(listen));
}

std::string refused(const SocketSpec& spec) {
  const Result<UniqueFd> fd = open_socket(spec);
  return fd ? "was opened" : fd.error().message;
}

std::string refused(const std::string& listen) {
  return refused(spec_of(listen));
}

std::string this_process() {
  std::string name;
  std::getline(std::ifstream("/proc/self/comm"), name);
  return name + ", process " + std::to_string(getpid());
}

int option(int fd, int level, int option) {
  int value = -1;
  socklen_t size = sizeof value;
  getsockopt(fd, level, option, &value, &size);
  return value;
}

UniqueFd connected(const std::string& address) {
  const auto parsed = parse_listen_address(address);
  const auto name = socket_address(*parsed);
  UniqueFd client(socket(name->family(), socket_type(parsed->kind) | SOCK_CLOEXEC, 0));
  if (connect(client.get(), name->get(), name->size) != 0) {
    const int error = errno;
    client.reset();
    errno = error;
  }
  return client;
}

std::string as_ordinary_user(const std::function<std::string()>& function) {
  int ends[2];
  EXPECT_EQ(pipe2(ends, O_CLOEXEC), 0);
  const UniqueFd from_child(ends[0]);
  UniqueFd to_parent(ends[1]);
  const pid_t child = fork();
  if (child == 0) {
    std::string said = "cannot become an ordinary user";
    if (setresgid(kNobody, kNobody, kNobody) == 0 && setresuid(kNobody, kNobody, kNobody) == 0)
      said = function();
    const ssize_t written = write(to_parent.get(), said.data(), said.size());
    _exit(written == static_cast<ssize_t>(said.size()) ? 0 : 1);
  }
  to_parent.reset();
  std::string said;
  char buffer[4096];
  for (ssize_t size = 1; size > 0;) {
    size = read(from_child.get(), buffer, sizeof buffer);
    if (size > 0) said.append(buffer, static_cast<size_t>(size));
  }
  int status = -1;
  EXPECT_EQ(waitpid(child, &status, 0), child);
  EXPECT_EQ(status, 0);
  return said;
}

}  // namespace foster::testing
