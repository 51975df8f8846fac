#include "common/unit/unit_spec.hpp"

namespace foster {
namespace {

constexpr Duration kStartTimeout = std::chrono::seconds(90);

// There are thousands of them: what few units have goes into a box of its own.
static_assert(sizeof(UnitSpec) <= 704);

}  // namespace

Duration start_timeout(const UnitSpec& spec) {
  if (spec.ready) return spec.ready->timeout;
  const bool can_hang = spec.type == ServiceType::notify || spec.type == ServiceType::forking;
  return can_hang ? kStartTimeout : Duration::zero();
}

bool uses_notify(const UnitSpec& spec) {
  return spec.type == ServiceType::notify || spec.notify_access != NotifyAccess::main ||
         (spec.ready && spec.ready->kind == ReadyKind::notify) ||
         (spec.health && spec.health->watchdog > Duration::zero()) ||
         (spec.descriptors && spec.descriptors->stores);
}

std::span<const SocketSpec> sockets_of(const UnitSpec& spec) {
  if (!spec.descriptors) return {};
  return spec.descriptors->sockets;
}

bool asked_at_an_address(ReadyKind kind) {
  return kind == ReadyKind::tcp || kind == ReadyKind::unix_socket || kind == ReadyKind::http;
}

bool starts_on_connection(const UnitSpec& spec) {
  return spec.descriptors && spec.descriptors->start_on == StartOn::first_connection;
}

bool accepts_connections(const UnitSpec& spec) {
  const std::span<const SocketSpec> sockets = sockets_of(spec);
  return !sockets.empty() && sockets[0].accept;
}

bool serves_connections(const UnitSpec& spec) {
  return spec.descriptors && spec.descriptors->of_connection;
}

const HookSpec* hook_of(const UnitSpec& spec, HookPoint point) {
  if (!spec.hooks) return nullptr;
  const HookSpec& hook = spec.hooks->hooks[static_cast<size_t>(point)];
  return hook.commands.empty() ? nullptr : &hook;
}

}  // namespace foster
