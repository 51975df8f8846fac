#include "common/region/live_object.hpp"

#include <cerrno>
#include <string_view>
#include <sys/mman.h>
#include <unistd.h>

#include "common/region/futex.hpp"
#include "common/region/shared_words.hpp"

namespace foster::region {
namespace {

bool may_touch(const ObjectIdentity& identity) {
  return identity.owner == geteuid();
}
bool may_replace(const ObjectIdentity& identity) {
  return may_touch(identity) || geteuid() == 0;
}

std::unexpected<Error> belongs_to(const std::string& name, uid_t owner) {
  return failure("use shared memory " + name, "it belongs to uid " + std::to_string(owner));
}

bool slots_are_sane(const Parts<foster_region_header>& parts) {
  std::string_view before;
  for (uint32_t i = 0; i < parts.geometry().slot_count; ++i) {
    const foster_slot& slot = parts.slot(i);
    const std::string_view name(slot.name, strnlen(slot.name, sizeof slot.name));
    if (name.size() == sizeof slot.name || name.empty() || slot.current > 1) return false;
    if (i > 0 && name <= before) return false;
    before = name;
  }
  return true;
}

std::string_view boot_id_of(const foster_region_header& header) {
  return {header.boot_id, strnlen(header.boot_id, sizeof header.boot_id)};
}

// Nothing when it is no object of our version: there is then nothing to be read from it.
Result<std::optional<LiveObject>> map_own(const OpenedObject& opened) {
  if (opened.identity.size < FOSTER_REGION_HEADER_SIZE) return std::nullopt;
  Result<Mapping> mapping = Mapping::map(opened, Access::read_write);
  if (!mapping) return std::unexpected(mapping.error());
  const auto& header = *static_cast<const foster_region_header*>(mapping->base());
  const Result<Geometry> geometry = read_geometry(header, mapping->size());
  if (!geometry) return std::nullopt;
  const Parts<foster_region_header> parts(mapping->base(), *geometry);
  return LiveObject{.mapping = std::move(*mapping), .parts = parts};
}

// Whether the error of open_object says that the name is not that of a shared memory object (a
// link, a FIFO, a folder), or that it is gone by now.
bool is_no_object(const Error& error) {
  return error.system_error == 0 || error.system_error == ELOOP || error.system_error == EISDIR ||
         error.system_error == ENOENT || error.system_error == ENXIO;
}

}  // namespace

Result<Predecessor> find_predecessor(const std::string& name, const Provenance& wanted) {
  const std::optional<ObjectIdentity> identity = identify_object(name);
  if (!identity) return Predecessor{};
  if (!may_replace(*identity)) return belongs_to(name, identity->owner);
  if (!may_touch(*identity)) return Predecessor{};
  const Result<OpenedObject> opened = open_object(name, Access::read_write);
  // Any other failure may pass, and replacing the object because of it would throw its content
  // away.
  if (!opened && !is_no_object(opened.error())) return std::unexpected(opened.error());
  if (!opened || !may_touch(opened->identity)) return Predecessor{};
  Result<std::optional<LiveObject>> mapped = map_own(*opened);
  if (!mapped) return std::unexpected(mapped.error());
  Predecessor found{.object = std::move(*mapped)};
  if (!found.object) return found;
  const foster_region_header& header = found.object->header();
  found.same_boot = boot_id_of(header) == wanted.boot_id;
  found.adoptable = found.same_boot && header.keeper_pid == wanted.keeper_pid &&
                    header.keeper_start_ticks == wanted.keeper_start_ticks &&
                    slots_are_sane(found.object->parts);
  return found;
}

Result<LiveObject> build_successor(const std::string& name, const Geometry& geometry) {
  const std::string successor = successor_name(name);
  if (const auto squatter = identify_object(successor)) {
    if (!may_replace(*squatter)) return belongs_to(successor, squatter->owner);
    shm_unlink(successor.c_str());
  }
  const Result<OpenedObject> created = create_object(successor, geometry.total_size);
  if (!created) return std::unexpected(created.error());
  Result<Mapping> mapping = Mapping::map(*created, Access::read_write);
  if (!mapping) {
    shm_unlink(successor.c_str());
    return std::unexpected(mapping.error());
  }
  const Parts<foster_region_header> parts(mapping->base(), geometry);
  write_geometry(geometry, parts.header());
  parts.header().semaphore_id = Guard::kNoSet;
  return LiveObject{.mapping = std::move(*mapping), .parts = parts};
}

Result<void> install_successor(const std::string& name, const LiveObject* old) {
  if (old != nullptr) set_retired(old->header(), true);
  const Result<void> renamed = rename_object(successor_name(name), name);
  if (!renamed) shm_unlink(successor_name(name).c_str());
  if (old != nullptr) set_retired(old->header(), renamed.has_value());
  if (renamed) return {};
  const std::optional<ObjectIdentity> squatter = identify_object(name);
  if (squatter && !may_replace(*squatter)) return belongs_to(name, squatter->owner);
  return renamed;
}

void discard_leftover(const std::string& name, int kept_semaphore) {
  const std::string successor = successor_name(name);
  const std::optional<ObjectIdentity> identity = identify_object(successor);
  if (!identity || !may_replace(*identity)) return;
  if (may_touch(*identity)) {
    const Result<OpenedObject> opened = open_object(successor, Access::read_write);
    const auto mapped = opened ? map_own(*opened) : std::nullopt;
    const bool readable = mapped && *mapped;
    const Guard guard(readable ? (*mapped)->header().semaphore_id : Guard::kNoSet);
    if (guard.id() != kept_semaphore && guard.is_ours()) guard.remove();
  }
  shm_unlink(successor.c_str());
}

void set_retired(foster_region_header& header, bool retired) {
  store(header.retired, retired ? 1u : 0u);
  announce_change(header);
}

void announce_change(foster_region_header& header) {
  store(header.generation, header.generation + 1);
  futex_wake_all(header.generation);
}

void mend_slots(const Parts<foster_region_header>& parts) {
  for (uint32_t i = 0; i < parts.geometry().slot_count; ++i) {
    foster_slot& slot = parts.slot(i);
    if (slot.sequence % 2 != 0) store(slot.sequence, slot.sequence + 1);
  }
}

}  // namespace foster::region
