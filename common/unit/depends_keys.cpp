#include <array>

#include "common/unit/key_readers.hpp"
#include "common/unit/key_tables.hpp"

namespace foster {
namespace {

using S = const Setting&;

constexpr std::array kKeys{
    KeySpec{Section::depends, "requires", "an array of names of units", "[]",
            "Started with this unit, before it, and up before it is started. When one of them "
            "fails this unit fails too, and is started again when that one is up again; when "
            "one is stopped this unit is stopped first.",
            "depends-on depend depends dependencies need require requisite",
            [](S s) { read_references(s, s.spec.depends.make().requires_units); }},
    KeySpec{Section::depends, "binds-to", "an array of names of units", "[]",
            "As requires; and this unit is stopped whenever one of them is not up any more, for "
            "whatever reason, and comes back with it.",
            "bind", [](S s) { read_references(s, s.spec.depends.make().binds_to); }},
    KeySpec{Section::depends, "wants", "an array of names of units", "[]",
            "Started with this unit. It runs without them, too, and waits for none of them "
            "unless after says so.",
            "waits-for want uses", [](S s) { read_references(s, s.spec.depends.make().wants); }},
    KeySpec{Section::depends, "completed", "an array of names of units", "[]",
            "Oneshots that are started with this unit, which is started once they have exited "
            "with success. After that they do not matter.",
            "depends-ms after-success completes",
            [](S s) { read_references(s, s.spec.depends.make().completed); }},
    KeySpec{Section::depends, "after", "an array of names of units", "[]",
            "Order alone: when both are to be started this unit waits until those are up, and "
            "it is stopped before them.",
            "start-after", [](S s) { read_references(s, s.spec.depends.make().after); }},
    KeySpec{Section::depends, "before", "an array of names of units", "[]",
            "Order alone, the other way round: those wait for this unit.", "start-before",
            [](S s) { read_references(s, s.spec.depends.make().before); }},
    KeySpec{Section::depends, "conflicts", "an array of names of units", "[]",
            "Never up together with this unit: the start of one stops the other.", "conflict",
            [](S s) { read_references(s, s.spec.depends.make().conflicts); }},
    KeySpec{Section::depends, "part-of", "an array of names of units", "[]",
            "When one of these is stopped or restarted on request, so is this unit.", "",
            [](S s) { read_references(s, s.spec.depends.make().part_of); }},
    KeySpec{Section::depends, "required-by", "an array of names of units", "[]",
            "The reverse of requires: as if those units required this one.", "",
            [](S s) { read_references(s, s.spec.depends.make().required_by); }},
    KeySpec{Section::depends, "wanted-by", "an array of names of units", "[]",
            "The reverse of wants: as if those units wanted this one.", "",
            [](S s) { read_references(s, s.spec.depends.make().wanted_by); }},
};

}  // namespace

std::span<const KeySpec> depends_keys() {
  return kKeys;
}

}  // namespace foster
