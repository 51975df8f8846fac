// Units come and go under readers that run and sleep, and under managers that die meanwhile.
#include <algorithm>
#include <csignal>
#include <random>
#include <set>
#include <tuple>
#include <unistd.h>

#include "tests/os/region/fixture.hpp"

namespace foster::region {
namespace {

using GrowthTest = RegionTest;

// The number that a unit publishes is made from its name, so that a body under a wrong name shows.
uint64_t number_for(std::string_view name) {
  return std::hash<std::string_view>()(name) | 1;
}

void publish_own_numbers(Writer& writer) {
  std::vector<SlotUpdate> updates;
  const std::vector<RememberedSlot> slots = writer.remembered();
  for (uint32_t i = 0; i < slots.size(); ++i)
    updates.push_back({.slot = i, .body = patterned_body(number_for(slots[i].name))});
  EXPECT_EQ(message_of(writer.publish(updates, {}, {})), "");
}

bool is_blank(const foster_slot_body& body) {
  const auto* bytes = reinterpret_cast<const unsigned char*>(&body);
  return std::all_of(bytes, bytes + sizeof body, [](unsigned char byte) { return byte == 0; });
}

// Every slot of the reader's holds its own unit's number, or nothing yet.
bool slots_are_their_own(const Reader& reader) {
  std::string before;
  for (uint32_t i = 0; i < reader.slot_count(); ++i) {
    const std::string name(reader.slot_name(i));
    foster_slot_body body;
    if (name <= before || !reader.copy_body(i, body)) return false;
    if (reader.find(name) != i) return false;
    if (!is_blank(body) && number_of(body) != number_for(name)) return false;
    before = name;
  }
  return true;
}

TEST_F(GrowthTest, BodiesStayWithTheirNames) {
  Writer writer = open_writer(3);
  publish_own_numbers(writer);
  const foster_event event = numbered_event(9);
  ASSERT_EQ(message_of(writer.publish({}, std::span(&event, 1), {})), "");
  const uint32_t layout = writer.header().layout_generation;
  const uint32_t generation = writer.header().generation;

  const std::vector<std::string> names{"a", "unit-0000", "unit-0002", "z"};
  ASSERT_EQ(message_of(writer.lay_out(names)), "");
  EXPECT_EQ(writer.header().layout_generation, layout + 1);
  EXPECT_GT(writer.header().generation, generation);
  const std::vector<RememberedSlot> slots = writer.remembered();
  ASSERT_EQ(slots.size(), 4u);
  EXPECT_TRUE(is_blank(slots[0].body));
  EXPECT_EQ(number_of(slots[1].body), number_for("unit-0000"));
  EXPECT_EQ(number_of(slots[2].body), number_for("unit-0002"));
  EXPECT_TRUE(is_blank(slots[3].body));
  EXPECT_EQ(open_reader().events(0).size(), 1u) << "the flight recorder was lost";
}

TEST_F(GrowthTest, TheSameNamesChangeNothing) {
  Writer writer = open_writer(3);
  Reader reader = open_reader();
  const uint32_t layout = writer.header().layout_generation;
  const uint32_t generation = writer.header().generation;
  ASSERT_EQ(message_of(writer.lay_out(unit_names(3))), "");
  EXPECT_EQ(writer.header().layout_generation, layout);
  EXPECT_EQ(writer.header().generation, generation);
  EXPECT_FALSE(reader.refresh().value());
}

using Edges = std::vector<std::tuple<std::string, std::string, uint32_t>>;

// By name, so that what a test expects does not depend on the order of the slots.
Edges named_edges(const Reader& reader) {
  const Result<std::vector<foster_edge>> edges = reader.edges();
  EXPECT_EQ(message_of(edges), "");
  Edges named;
  for (const foster_edge& edge : edges.value())
    named.emplace_back(reader.slot_name(edge.from), reader.slot_name(edge.to), edge.kind);
  return named;
}

TEST_F(GrowthTest, EdgesComeWithALayoutOfTheirOwn) {
  Writer writer = open_writer(3);
  Reader reader = open_reader();
  EXPECT_EQ(named_edges(reader), Edges{});
  const std::vector<foster_edge> edges{{0, 2, FOSTER_EDGE_REQUIRES}, {2, 1, FOSTER_EDGE_AFTER}};
  const uint32_t layout = writer.header().layout_generation;
  ASSERT_EQ(message_of(writer.lay_out(unit_names(3), edges)), "");
  EXPECT_EQ(writer.header().layout_generation, layout + 1);
  EXPECT_EQ(named_edges(reader), Edges{}) << "an object's edges have changed in place";
  ASSERT_TRUE(reader.refresh().value());
  const Edges expected{{"unit-0000", "unit-0002", FOSTER_EDGE_REQUIRES},
                       {"unit-0002", "unit-0001", FOSTER_EDGE_AFTER}};
  EXPECT_EQ(named_edges(reader), expected);
  ASSERT_EQ(message_of(writer.lay_out(unit_names(3), edges)), "");
  EXPECT_EQ(writer.header().layout_generation, layout + 1);

  ASSERT_EQ(unlink(path().c_str()), 0);
  ASSERT_TRUE(writer.repair_if_unlinked().value());
  EXPECT_EQ(named_edges(open_reader()), expected);
}

TEST_F(GrowthTest, EdgesOfAFormerManagerAreReplaced) {
  {
    Writer writer = open_writer();
    const std::vector<foster_edge> edges{{0, 1, FOSTER_EDGE_WANTS}};
    ASSERT_EQ(message_of(writer.lay_out(unit_names(2), edges)), "");
  }
  Writer successor = open_writer();
  ASSERT_TRUE(successor.adopted());
  ASSERT_EQ(message_of(successor.lay_out(unit_names(2))), "");
  EXPECT_EQ(named_edges(open_reader()), Edges{});
}

TEST_F(GrowthTest, AnEdgeThatLeadsNowhereIsDamage) {
  Writer writer = open_writer();
  const std::vector<foster_edge> edges{{0, 1, FOSTER_EDGE_WANTS}};
  ASSERT_EQ(message_of(writer.lay_out(unit_names(2), edges)), "");
  const Result<OpenedObject> opened = open_object(name(), Access::read_write);
  const Mapping mapping = Mapping::map(opened.value(), Access::read_write).value();
  auto* edge = reinterpret_cast<foster_edge*>(static_cast<char*>(mapping.base()) +
                                              writer.header().edges_offset);
  edge->to = 2;
  EXPECT_EQ(message_of(open_reader().edges()),
            "cannot read the dependencies in the status region: it is damaged");
}

// Which unit holds another back is said by number, and the numbers change with the units.
TEST_F(GrowthTest, BlockersStayTheUnitsTheyWere) {
  Writer writer = open_writer(3);
  std::vector<SlotUpdate> updates{{.slot = 0}, {.slot = 2}};
  updates[0].body.blocker = 3;
  updates[1].body.blocker = 2;
  ASSERT_EQ(message_of(writer.publish(updates, {}, {})), "");
  const std::vector<std::string> names{"a", "b", "unit-0000", "unit-0002"};
  ASSERT_EQ(message_of(writer.lay_out(names)), "");
  EXPECT_EQ(writer.body(2).blocker, 4u);
  EXPECT_EQ(writer.body(3).blocker, 0u) << "unit-0001 is gone";
}

TEST_F(GrowthTest, AReaderKeepsItsLayoutUntilItRefreshes) {
  Writer writer = open_writer(2);
  publish_own_numbers(writer);
  Reader reader = open_reader();
  ASSERT_EQ(message_of(writer.lay_out(unit_names(500, "a-"))), "");
  publish_own_numbers(writer);
  EXPECT_EQ(reader.slot_count(), 2u);
  EXPECT_TRUE(slots_are_their_own(reader));
  EXPECT_TRUE(reader.refresh().value());
  EXPECT_EQ(reader.slot_count(), 500u);
  EXPECT_TRUE(slots_are_their_own(reader));
  EXPECT_FALSE(reader.refresh().value());
}

TEST_F(GrowthTest, EveryUnitCanGo) {
  Writer writer = open_writer(5);
  Reader reader = open_reader();
  ASSERT_EQ(message_of(writer.lay_out({})), "");
  ASSERT_TRUE(reader.refresh().value());
  EXPECT_EQ(reader.slot_count(), 0u);
  EXPECT_EQ(reader.find("unit-0000"), std::nullopt);
}

std::vector<std::string> random_names(std::minstd_rand& random) {
  std::set<std::string> names;
  const int count = static_cast<int>(random() % 40);
  for (int i = 0; i < count; ++i)
    names.insert("unit-" + std::to_string(random() % 60));
  return {names.begin(), names.end()};
}

// What a reader process does in the tests below: 0 when it has seen `phase`.
int follow_until(Reader& reader, uint32_t phase) {
  for (;;) {
    const uint32_t seen = reader.generation();
    if (!slots_are_their_own(reader)) return 1;
    if (reader.header().phase == phase) return 0;
    if (!reader.wait_for_change(seen, far_deadline())) return 2;
    if (!reader.refresh()) return 3;
  }
}

TEST_F(GrowthTest, RunningAndSleepingReadersFollowEveryLayout) {
  Writer writer = open_writer(3);
  publish_own_numbers(writer);
  const SharedEvent ready;
  std::vector<std::unique_ptr<Child>> readers;
  for (int i = 0; i < 4; ++i)
    readers.push_back(std::make_unique<Child>([&] {
      Reader reader = open_reader();
      ready.notify();
      return follow_until(reader, FOSTER_PHASE_DOWN);
    }));
  ASSERT_TRUE(ready.wait(readers.size()));
  std::minstd_rand random(7);
  for (int i = 0; i < 300; ++i) {
    ASSERT_EQ(message_of(writer.lay_out(random_names(random))), "");
    publish_own_numbers(writer);
  }
  ASSERT_EQ(message_of(writer.publish({}, {}, {.phase = FOSTER_PHASE_DOWN})), "");
  for (const auto& reader : readers)
    EXPECT_EQ(reader->join(), 0);
}

// What a manager process does in the test below, until it is killed.
int lay_out_for_ever(const WriterOptions& options, const OwnerFields& owner, unsigned seed) {
  Result<Writer> writer = Writer::open(options, owner);
  if (!writer || !writer->adopted()) return 1;
  die_after(std::chrono::microseconds(1 + seed * 7919 % 1500));
  std::minstd_rand random(seed);
  for (;;) {
    if (!writer->lay_out(random_names(random))) return 2;
    publish_own_numbers(*writer);
  }
}

// The manager is killed at any instruction of a change of layout. The name leads to a whole object
// ever after, bodies are where they belong, and no reader sleeps on for ever on an object of the
// past.
TEST_F(GrowthTest, ManagersKilledWhileTheyLayOutLoseNothing) {
  constexpr unsigned kKills = 150;
  {
    Writer writer = open_writer(10);
    publish_own_numbers(writer);
  }
  const int semaphore = open_reader().header().semaphore_id;
  const SharedEvent ready;
  Child follower([&] {
    Reader reader = open_reader();
    ready.notify();
    return follow_until(reader, FOSTER_PHASE_DOWN);
  });
  ASSERT_TRUE(ready.wait());
  const OwnerFields fields = owner();
  for (unsigned kill = 1; kill <= kKills; ++kill) {
    Child manager([&] { return lay_out_for_ever(options(), fields, kill); });
    ASSERT_EQ(manager.join(), 128 + SIGKILL) << "the manager did not adopt what it found";
    ASSERT_TRUE(slots_are_their_own(open_reader()));
  }
  Writer writer = open_writer();
  EXPECT_TRUE(writer.adopted());
  EXPECT_EQ(writer.header().semaphore_id, semaphore) << "a guard was lost on the way";
  EXPECT_FALSE(identify_object(successor_name(name())));
  ASSERT_EQ(message_of(writer.publish({}, {}, {.phase = FOSTER_PHASE_DOWN})), "");
  EXPECT_EQ(follower.join(), 0);
}

// The instant between the retirement of an object and the exchange of the names, held still.
TEST_F(GrowthTest, AReaderGoesOnWithAnObjectWhoseReplacementNeverCame) {
  Writer writer = open_writer(1);
  publish_own_numbers(writer);
  auto& header = const_cast<foster_region_header&>(writer.header());
  header.retired = 1;

  Reader reader = open_reader();
  const uint32_t seen = reader.generation();
  EXPECT_TRUE(reader.wait_for_change(seen, far_deadline()));
  EXPECT_FALSE(reader.refresh().value());
  EXPECT_TRUE(slots_are_their_own(reader));
  // It has looked after it, so the retirement alone no longer keeps it from sleeping.
  EXPECT_FALSE(reader.wait_for_change(seen, now_since_boot() + std::chrono::milliseconds(10)));

  const Writer successor = open_writer();
  EXPECT_TRUE(successor.adopted());
  EXPECT_EQ(reader.header().retired, 0u);
  EXPECT_TRUE(reader.wait_for_change(seen, far_deadline()));
}

}  // namespace
}  // namespace foster::region
