// What foster runs in: a container, a virtual machine, neither; found out once, by the marks that
// container managers and hypervisors leave.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace foster::manager {

enum class VirtualizationKind : uint8_t { none, container, vm };

struct Virtualization {
  VirtualizationKind kind = VirtualizationKind::none;
  std::string name;  // "docker", "kvm", ...; "container-other", "vm-other" when it has no name
};

/// The marks, as the system shows them; empty where there is none.
struct VirtualizationMarks {
  std::string manager;        // /run/systemd/container: the container's manager has put it there
  std::string variable;       // $container of PID 1, or of the daemon
  bool dockerenv = false;     // /.dockerenv
  bool containerenv = false;  // /run/.containerenv, of podman
  bool own_pids = false;      // a PID namespace that is not the machine's first
  bool openvz = false;        // /proc/vz without /proc/bc
  std::string vendor;         // of the DMI: sys_vendor, product_name, bios_vendor, a line each
  std::string hypervisor;     // cpuid's signature, where its hypervisor bit is set
  bool hypervisor_bit = false;
};

/// The innermost counts: a container in a virtual machine is a container.
[[nodiscard]] Virtualization judge(const VirtualizationMarks& marks);

/// `wanted`: "none", "container", "vm", or a name.
[[nodiscard]] bool matches(const Virtualization& found, std::string_view wanted);

/// "no container and no virtual machine", "a container (docker)", "a virtual machine (kvm)".
[[nodiscard]] std::string describe(const Virtualization& found);

/// Of the files below `root`, which is "" outside tests.
[[nodiscard]] VirtualizationMarks read_marks(const std::string& root);

/// This system's. Looked up at the first call.
[[nodiscard]] const Virtualization& virtualization();

}  // namespace foster::manager
