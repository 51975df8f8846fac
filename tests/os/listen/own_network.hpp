// What the tests of sockets share: a network of their own, and sockets in one line.
#pragma once

#include <functional>
#include <gtest/gtest.h>
#include <string>

#include "common/listen/open_socket.hpp"
#include "common/unit/listen_address.hpp"

namespace foster::testing {

/// A network namespace with nothing but a loopback interface, for the whole program: any port can
/// be taken. Where this user may not have one the test is skipped.
class OwnNetwork : public ::testing::Test {
 protected:
  void SetUp() override;
};

/// A directory of its own.
class OwnFolder : public ::testing::Test {
 protected:
  void SetUp() override;
  void TearDown() override;

  /// An address with a path in it.
  [[nodiscard]] std::string at(const std::string& kind, const std::string& name) const {
    return kind + "://" + folder_ + "/" + name;
  }
  [[nodiscard]] std::string path(const std::string& name) const { return folder_ + "/" + name; }

  std::string folder_;
};

[[nodiscard]] SocketSpec spec_of(const std::string& listen);

/// Of a socket that must open.
[[nodiscard]] UniqueFd opened(const SocketSpec& spec);
[[nodiscard]] UniqueFd opened(const std::string& listen);

/// The message of one that must not.
[[nodiscard]] std::string refused(const SocketSpec& spec);
[[nodiscard]] std::string refused(const std::string& listen);

/// "listen-test, process 123": this program, as holder_of tells of it.
[[nodiscard]] std::string this_process();

[[nodiscard]] int option(int fd, int level, int option);

/// A client's socket; invalid, with errno set, when nobody takes it.
[[nodiscard]] UniqueFd connected(const std::string& address);

/// What the function says when it runs as an ordinary user, in a process of its own. Only for root.
[[nodiscard]] std::string as_ordinary_user(const std::function<std::string()>& function);

}  // namespace foster::testing
