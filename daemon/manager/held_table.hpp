// The descriptors that are held for units: here, to be passed on, and at the keeper, so that they
// outlive this manager. Knows nothing of what they are for.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include <systemd/sd-event.h>

#include "common/ids.hpp"
#include "common/ipc/unique_fd.hpp"
#include "common/result.hpp"
#include "daemon/manager/held_name.hpp"
#include "daemon/manager/keeper_client.hpp"

namespace foster::manager {

class Descriptors;

struct Held {
  Held() = default;
  Held(const Held&) = delete;
  Held& operator=(const Held&) = delete;
  ~Held() { sd_event_source_disable_unref(source); }

  HeldName what;
  std::string kept_as;  // at the keeper
  UnitIndex unit;
  UniqueFd fd;
  Descriptors* owner = nullptr;       // who is told by the source
  sd_event_source* source = nullptr;  // of a socket: something comes; of others: it hangs up
  int socket = -1;                    // which [[socket]] of its unit it is; -1: none
  Attempt handed_to;                  // the newest that was to have it, if it comes to that
};

class HeldTable {
 public:
  using Row = std::vector<std::unique_ptr<Held>>;  // in the order of their coming

  explicit HeldTable(KeeperClient& keeper);

  /// What the keeper holds already.
  Held& restore(UnitIndex unit, HeldName what, std::string kept_as, UniqueFd fd);
  /// Gives it to the keeper, too. There has to be room.
  Held& add(UnitIndex unit, HeldName what, UniqueFd fd);
  /// Has the keeper hold it by what is said of it now.
  void rename(Held& held);
  /// Nothing is left of those that `unwanted` chooses; the count of them.
  uint32_t drop_if(UnitIndex unit, const std::function<bool(const Held&)>& unwanted);
  /// Takes one out that the keeper goes on holding.
  std::unique_ptr<Held> release(const Held& held);

  /// Null where the unit has none.
  [[nodiscard]] const Row* of(UnitIndex unit) const;
  [[nodiscard]] std::vector<UnitIndex> units() const;

  /// "cannot hold another descriptor: ...", system_error EMFILE, where the unit or all of them have
  /// as many as can be handed on.
  [[nodiscard]] Result<void> room(UnitIndex unit) const;

 private:
  KeeperClient& keeper_;
  std::unordered_map<uint32_t, Row> rows_;
  uint64_t last_serial_ = 0;
  size_t count_ = 0;
  size_t most_;
};

/// Whether both are the same open file description (kcmp(2)). Where that may not be asked, as in
/// many containers, the same socket, pipe or memfd is; two openings of another file are taken for
/// two.
[[nodiscard]] bool same_open_file(int one, int other);

}  // namespace foster::manager
