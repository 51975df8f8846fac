#include "daemon/manager/virtualization.hpp"

#include <unistd.h>

#include <array>
#include <climits>
#include <cstdlib>
#include <cstring>
#include <utility>
#if defined(__x86_64__) || defined(__i386__)
#include <cpuid.h>
#endif

#include "common/unit_source/regular_file.hpp"
#include "daemon/manager/process_tree.hpp"

namespace foster::manager {
namespace {

using Names = std::pair<std::string_view, std::string_view>;

/// Part of what the DMI says, and the name that systemd-detect-virt(1) has for it: unit files are
/// written with those in mind.
constexpr std::array<Names, 14> kVendors{{{"KVM", "kvm"},
                                          {"OpenStack", "kvm"},
                                          {"Amazon EC2", "amazon"},
                                          {"QEMU", "qemu"},
                                          {"VMware", "vmware"},
                                          {"VMW", "vmware"},
                                          {"innotek GmbH", "oracle"},
                                          {"VirtualBox", "oracle"},
                                          {"Oracle Corporation", "oracle"},
                                          {"Xen", "xen"},
                                          {"Bochs", "bochs"},
                                          {"Parallels", "parallels"},
                                          {"BHYVE", "bhyve"},
                                          {"Google Compute Engine", "google"}}};

constexpr std::array<Names, 11> kSignatures{{{"KVMKVMKVM", "kvm"},
                                             {"Linux KVM Hv", "kvm"},
                                             {"TCGTCGTCGTCG", "qemu"},
                                             {"VMwareVMware", "vmware"},
                                             {"Microsoft Hv", "microsoft"},
                                             {"XenVMMXenVMM", "xen"},
                                             {"bhyve bhyve ", "bhyve"},
                                             {"VBoxVBoxVBox", "oracle"},
                                             {" lrpepyh vr", "parallels"},
                                             {"QNXQVMBSQG", "qnx"},
                                             {"ACRNACRNACRN", "acrn"}}};

/// Of the machine's first PID namespace; the kernel gives it this number (PROC_PID_INIT_INO).
constexpr char kFirstPids[] = "pid:[4026531836]";

constexpr size_t kMarkMax = 4096;

std::string first_line(const std::string& path) {
  const auto text = read_regular_file(path, kMarkMax);
  return text ? text->substr(0, text->find('\n')) : std::string();
}

bool exists(const std::string& path) {
  return access(path.c_str(), F_OK) == 0;
}

std::string link_target(const std::string& path) {
  char target[PATH_MAX];
  const ssize_t length = readlink(path.c_str(), target, sizeof target);
  return length > 0 ? std::string(target, static_cast<size_t>(length)) : std::string();
}

std::string_view known_as(const auto& table, std::string_view text) {
  for (const auto& [mark, name] : table)
    if (text.find(mark) != std::string_view::npos) return name;
  return {};
}

#if defined(__x86_64__) || defined(__i386__)
constexpr unsigned kHypervisorBit = 1u << 31;  // of leaf 1, ecx
constexpr unsigned kSignatureLeaf = 0x40000000;

void ask_cpu(VirtualizationMarks& marks) {
  unsigned eax = 0;
  unsigned ebx = 0;
  unsigned ecx = 0;
  unsigned edx = 0;
  if (__get_cpuid(1, &eax, &ebx, &ecx, &edx) == 0 || (ecx & kHypervisorBit) == 0) return;
  marks.hypervisor_bit = true;
  __cpuid(kSignatureLeaf, eax, ebx, ecx, edx);
  const std::array<unsigned, 3> words{ebx, ecx, edx};
  char signature[sizeof words + 1] = {};
  std::memcpy(signature, words.data(), sizeof words);
  marks.hypervisor = signature;
}
#else
void ask_cpu(VirtualizationMarks&) {}
#endif

/// The name of the container's manager, or nothing.
std::string container_name(const VirtualizationMarks& marks) {
  if (!marks.manager.empty()) return marks.manager;
  if (!marks.variable.empty()) return marks.variable;
  if (marks.containerenv) return "podman";
  if (marks.dockerenv) return "docker";
  if (marks.openvz) return "openvz";
  return marks.own_pids ? "container-other" : "";
}

}  // namespace

Virtualization judge(const VirtualizationMarks& marks) {
  if (std::string name = container_name(marks); !name.empty())
    return {VirtualizationKind::container, std::move(name)};
  // The DMI first: it knows the clouds by name.
  std::string_view name = known_as(kVendors, marks.vendor);
  if (name.empty()) name = known_as(kSignatures, marks.hypervisor);
  if (name.empty() && marks.hypervisor_bit) name = "vm-other";
  if (name.empty()) return {};
  return {VirtualizationKind::vm, std::string(name)};
}

bool matches(const Virtualization& found, std::string_view wanted) {
  switch (found.kind) {
    case VirtualizationKind::none:
      return wanted == "none";
    case VirtualizationKind::container:
      return wanted == "container" || wanted == found.name;
    case VirtualizationKind::vm:
      return wanted == "vm" || wanted == found.name;
  }
  return false;
}

std::string describe(const Virtualization& found) {
  switch (found.kind) {
    case VirtualizationKind::none:
      break;
    case VirtualizationKind::container:
      return "a container (" + found.name + ")";
    case VirtualizationKind::vm:
      return "a virtual machine (" + found.name + ")";
  }
  return "neither a container nor a virtual machine";
}

VirtualizationMarks read_marks(const std::string& root) {
  VirtualizationMarks marks;
  marks.manager = first_line(root + "/run/systemd/container");
  marks.dockerenv = exists(root + "/.dockerenv");
  marks.containerenv = exists(root + "/run/.containerenv");
  const std::string pids = link_target(root + "/proc/self/ns/pid");
  marks.own_pids = !pids.empty() && pids != kFirstPids;
  marks.openvz = exists(root + "/proc/vz") && !exists(root + "/proc/bc");
  for (const char* file : {"sys_vendor", "product_name", "bios_vendor"})
    marks.vendor += first_line(root + "/sys/class/dmi/id/" + file) + "\n";
  return marks;
}

const Virtualization& virtualization() {
  static const Virtualization found = [] {
    VirtualizationMarks marks = read_marks("");
    const char* own = std::getenv("container");
    marks.variable = InitialEnvironment(1).value("container").value_or(own != nullptr ? own : "");
    ask_cpu(marks);
    return judge(marks);
  }();
  return found;
}

}  // namespace foster::manager
