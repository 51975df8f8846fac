#include <array>

#include "common/unit/duration_text.hpp"
#include "common/unit/held_max.hpp"
#include "common/unit/key_readers.hpp"
#include "common/unit/key_tables.hpp"

namespace foster {
namespace {

using S = const Setting&;

constexpr std::array<std::string_view, 2> kStarts{"immediately", "first-connection"};
constexpr std::array<std::string_view, 2> kReceives{"next-start", "live"};
constexpr std::array<std::string_view, 3> kPreserves{"never", "restart", "always"};

DescriptorsSpec& descriptors(S setting) {
  return setting.spec.descriptors.make();
}

void set_start(S setting) {
  if (const auto word = read_word(setting, kStarts))
    descriptors(setting).start_on = StartOn{uint8_t(*word)};
}

void set_receive(S setting) {
  if (const auto word = read_word(setting, kReceives))
    descriptors(setting).receive_live = *word == 1;
}

void set_store_max(S setting) {
  descriptors(setting).stores = true;
  read_count(setting, 0, kHeldMax, descriptors(setting).store_max);
}

void set_store_preserve(S setting) {
  descriptors(setting).stores = true;
  if (const auto word = read_word(setting, kPreserves))
    descriptors(setting).store_preserve = StorePreserve{uint8_t(*word)};
}

constexpr std::array kKeys{
    KeySpec{Section::service, "start", "one of \"immediately\" and \"first-connection\"",
            "\"immediately\"",
            "When a unit that is wanted up is started: at once, or when something comes to one of "
            "its sockets. Until then it is listening, which for other units is as good as up. Its "
            "conditions are looked at when something comes: if one is not met the unit is skipped, "
            "and its sockets are closed until it is started again.",
            "activation socket-activation lazy on-demand", set_start},
    KeySpec{Section::service, "trigger-limit", "a whole number from 0 to 1000000", "20",
            "With more starts by a connection than this within trigger-interval the service has "
            "failed: it does not take what comes to its sockets. 0 is no limit.",
            "trigger-limit-burst triggerlimitburst",
            [](S s) { read_count(s, 0, 1'000'000, descriptors(s).trigger_limit); }},
    KeySpec{Section::service, "trigger-interval", kDurationExpected, "\"2s\"",
            "The time that trigger-limit speaks of; longer than 0s.",
            "trigger-limit-interval-sec triggerlimitintervalsec",
            [](S s) { read_duration(s, Duration(1), descriptors(s).trigger_interval); }},
    KeySpec{Section::service, "receive", "one of \"next-start\" and \"live\"", "\"next-start\"",
            "When the service gets a descriptor that fosterctl pass hands over: at its next start, "
            "after its sockets, or at once on the socket whose number is in $FOSTER_RECEIVE_FD.",
            "receive-fd live", set_receive},
    KeySpec{Section::service, "store-max", "a whole number from 0 to 240", "64",
            "How many descriptors the service may leave with foster by FDSTORE=1 at a time "
            "(sd_pid_notify_with_fds(3)). It finds them after its sockets when it is started "
            "again. A unit can have 240 descriptors in all, with its sockets and what was passed.",
            "file-descriptor-store-max filedescriptorstoremax fd-store-max", set_store_max},
    KeySpec{Section::service, "store-preserve", "one of \"never\", \"restart\" and \"always\"",
            "\"restart\"",
            "How long what was stored or passed is kept: until the process has ended, until the "
            "unit is stopped, or has ended or failed for good, or until fosterctl drop. What was "
            "passed and no process has been given yet stays for the next start.",
            "file-descriptor-store-preserve filedescriptorstorepreserve fd-store-preserve",
            set_store_preserve},
};

}  // namespace

std::span<const KeySpec> descriptor_keys() {
  return kKeys;
}

}  // namespace foster
