#include "common/instance.hpp"

#include <gtest/gtest.h>

namespace foster {
namespace {

TEST(Instance, IdsOfRootAndOfAnOrdinaryUser) {
  EXPECT_EQ(instance_id(0, ""), "system");
  EXPECT_EQ(instance_id(0, "web"), "web");
  EXPECT_EQ(instance_id(1000, ""), "user-1000");
  EXPECT_EQ(instance_id(1000, "web"), "user-1000.web");
}

TEST(Instance, OwnerIsReadFromTheId) {
  EXPECT_EQ(instance_owner("system"), 0u);
  EXPECT_EQ(instance_owner("web"), 0u);
  EXPECT_EQ(instance_owner("user-1000"), 1000u);
  EXPECT_EQ(instance_owner("user-1000.web"), 1000u);
  EXPECT_EQ(instance_owner("user-friendly"), 0u);
  EXPECT_EQ(instance_owner("user-12x"), 0u);
  EXPECT_EQ(instance_owner("user-99999999999999"), 0u);
}

TEST(Instance, AnOrdinaryUserMeansHisOwnFirst) {
  EXPECT_EQ(instance_candidates(1000, "web"), (std::vector<std::string>{"user-1000.web", "web"}));
  EXPECT_EQ(instance_candidates(1000, ""), std::vector<std::string>{"user-1000"});
  EXPECT_EQ(instance_candidates(0, "user-1000"), std::vector<std::string>{"user-1000"});
}

TEST(Instance, NamesThatCannotBeNames) {
  EXPECT_TRUE(valid_instance_name("web-1_A"));
  for (const char* wrong : {"", ".", "a/b", "a.b", "a b", "ä"})
    EXPECT_FALSE(valid_instance_name(wrong));
  EXPECT_TRUE(valid_instance_name(std::string(48, 'x')));
  EXPECT_FALSE(valid_instance_name(std::string(49, 'x')));
}

TEST(Instance, RuntimeDirectories) {
  EXPECT_EQ(runtime_dir_candidates("system", "/run/user/0"),
            (std::vector<std::string>{"/run/foster/system", "/dev/shm/foster-0/system"}));
  EXPECT_EQ(runtime_dir_candidates("user-7", "/run/user/7"),
            (std::vector<std::string>{"/run/user/7/foster/user-7", "/dev/shm/foster-7/user-7"}));
  EXPECT_EQ(runtime_dir_candidates("user-7", ""),
            std::vector<std::string>{"/dev/shm/foster-7/user-7"});
}

TEST(Instance, UnitDirectories) {
  EXPECT_EQ(default_units_dir(0, "/x", "/root"), "/etc/foster/units");
  EXPECT_EQ(default_units_dir(7, "/x", "/home/u"), "/x/foster/units");
  EXPECT_EQ(default_units_dir(7, "", "/home/u"), "/home/u/.config/foster/units");
}

}  // namespace
}  // namespace foster
