#include "common/unit/descriptor_name.hpp"

#include <gtest/gtest.h>

namespace foster {
namespace {

TEST(DescriptorName, WhatItMayBe) {
  for (const std::string& name : {std::string("http"), std::string(255, 'x'), std::string("a b~!")})
    EXPECT_TRUE(is_descriptor_name(name)) << name;
  for (const std::string& name :
       {std::string(), std::string(256, 'x'), std::string("a:b"), std::string("a\nb"),
        std::string("\x7f"), std::string("\xc3\xa4"), std::string("a\0b", 3)})
    EXPECT_FALSE(is_descriptor_name(name)) << name;
}

TEST(DescriptorName, WhereNothingIsSaid) {
  EXPECT_EQ(descriptor_name_of("web"), "web");
  EXPECT_EQ(descriptor_name_of("worker@3"), "worker");
  EXPECT_EQ(descriptor_name_of("a:b"), "a_b");
}

}  // namespace
}  // namespace foster
