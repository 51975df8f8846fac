// Orders to the keeper that cannot be sent.
#include "daemon/manager/keeper_client.hpp"

#include <gtest/gtest.h>
#include <sys/socket.h>

#include <string>

namespace foster::manager {
namespace {

TEST(KeeperClient, OrdersThatCannotBeSentEndTheManager) {
  UniqueFd ours;
  UniqueFd theirs;
  ASSERT_EQ(ipc::make_pair(ours, theirs), 0);
  // The packet is larger than the socket may hold: EMSGSIZE.
  const int little = 1;
  ASSERT_EQ(setsockopt(ours.get(), SOL_SOCKET, SO_SNDBUF, &little, sizeof little), 0);
  KeeperClient keeper(std::move(ours));
  keeper.notify_supervisor(std::string(40'000, 'x'));
  EXPECT_EXIT(keeper.flush(), testing::ExitedWithCode(71), "cannot write to the keeper");
}

TEST(KeeperClient, AKeeperThatIsGoneEndsNobody) {
  UniqueFd ours;
  UniqueFd theirs;
  ASSERT_EQ(ipc::make_pair(ours, theirs), 0);
  KeeperClient keeper(std::move(ours));
  theirs.reset();
  keeper.ready();
  keeper.flush();
}

}  // namespace
}  // namespace foster::manager
