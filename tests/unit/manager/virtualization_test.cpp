#include "daemon/manager/virtualization.hpp"

#include <gtest/gtest.h>

namespace foster::manager {
namespace {

TEST(Virtualization, ABareMachine) {
  const Virtualization found = judge({.vendor = "Dell Inc.\nPowerEdge R640\nDell Inc.\n"});
  EXPECT_EQ(found.kind, VirtualizationKind::none);
  EXPECT_TRUE(matches(found, "none"));
  EXPECT_FALSE(matches(found, "vm"));
  EXPECT_FALSE(matches(found, "container"));
  EXPECT_EQ(describe(found), "neither a container nor a virtual machine");
}

TEST(Virtualization, AContainerByEachOfItsMarks) {
  const std::pair<VirtualizationMarks, const char*> cases[] = {
      {{.manager = "systemd-nspawn"}, "systemd-nspawn"},
      {{.variable = "lxc"}, "lxc"},
      {{.dockerenv = true}, "docker"},
      {{.containerenv = true}, "podman"},
      {{.own_pids = true}, "container-other"},
      {{.openvz = true}, "openvz"}};
  for (const auto& [marks, name] : cases) {
    const Virtualization found = judge(marks);
    EXPECT_EQ(found.kind, VirtualizationKind::container) << name;
    EXPECT_EQ(found.name, name);
    EXPECT_TRUE(matches(found, "container"));
    EXPECT_TRUE(matches(found, name));
    EXPECT_FALSE(matches(found, "vm"));
    EXPECT_FALSE(matches(found, "none"));
  }
}

TEST(Virtualization, AVirtualMachineByVendorOrCpu) {
  const std::pair<VirtualizationMarks, const char*> cases[] = {
      {{.vendor = "Amazon EC2\nm5.large\nAmazon EC2\n", .hypervisor = "KVMKVMKVM"}, "amazon"},
      {{.vendor = "QEMU\nStandard PC\nSeaBIOS\n"}, "qemu"},
      {{.hypervisor = "KVMKVMKVM", .hypervisor_bit = true}, "kvm"},
      {{.hypervisor = "unheard of", .hypervisor_bit = true}, "vm-other"}};
  for (const auto& [marks, name] : cases) {
    const Virtualization found = judge(marks);
    EXPECT_EQ(found.kind, VirtualizationKind::vm) << name;
    EXPECT_EQ(found.name, name);
    EXPECT_TRUE(matches(found, "vm"));
    EXPECT_FALSE(matches(found, "container"));
  }
}

TEST(Virtualization, TheInnermostCounts) {
  const Virtualization found = judge({.dockerenv = true, .hypervisor = "KVMKVMKVM"});
  EXPECT_EQ(describe(found), "a container (docker)");
}

}  // namespace
}  // namespace foster::manager
