#include "host/lock_table.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace vigil::host {
namespace {

// "1.2 granted": process 1, request 2.
std::vector<std::string> Text(const std::vector<LockNews>& news) {
  std::vector<std::string> lines;
  for (const auto& [kind, holder] : news) {
    const char* what = kind == LockNews::Kind::kGranted  ? " granted"
                       : kind == LockNews::Kind::kStolen ? " stolen"
                                                         : " not available";
    lines.push_back(std::to_string(holder.process) + "." + std::to_string(holder.request) + what);
  }
  return lines;
}
using Lines = std::vector<std::string>;

LockCall Exclusive(std::string name) { return {.origin = "https://a.example", .name = std::move(name)}; }
LockCall Shared(std::string name) {
  LockCall call = Exclusive(std::move(name));
  call.shared = true;
  return call;
}
LockCall IfAvailable(LockCall call) {
  call.if_available = true;
  return call;
}

TEST(LockTableTest, GrantsAnExclusiveLockToOneAfterTheOther) {
  LockTable table;
  EXPECT_EQ(Text(table.Request({1, 1}, Exclusive("n"))), Lines{"1.1 granted"});
  EXPECT_EQ(Text(table.Request({2, 1}, Exclusive("n"))), Lines{});
  EXPECT_EQ(Text(table.Request({2, 2}, Exclusive("other"))), Lines{"2.2 granted"});
  EXPECT_TRUE(table.Waits({2, 1}));
  EXPECT_EQ(Text(table.Release({1, 1})), Lines{"2.1 granted"});
  EXPECT_FALSE(table.Waits({2, 1}));
}

TEST(LockTableTest, SharesALockUntilSomebodyWantsItAlone) {
  LockTable table;
  EXPECT_EQ(Text(table.Request({1, 1}, Shared("n"))), Lines{"1.1 granted"});
  EXPECT_EQ(Text(table.Request({2, 1}, Shared("n"))), Lines{"2.1 granted"});
  EXPECT_EQ(Text(table.Request({3, 1}, Exclusive("n"))), Lines{});
  EXPECT_EQ(Text(table.Request({4, 1}, Shared("n"))), Lines{}) << "overtook a request that waits";
  EXPECT_EQ(Text(table.Release({1, 1})), Lines{});
  EXPECT_EQ(Text(table.Release({2, 1})), Lines{"3.1 granted"});
  EXPECT_EQ(Text(table.Release({3, 1})), Lines{"4.1 granted"});
}

TEST(LockTableTest, ARequestThatIsTakenBackLetsTheNextOnesThrough) {
  LockTable table;
  (void)table.Request({1, 1}, Shared("n"));
  (void)table.Request({2, 1}, Exclusive("n"));
  (void)table.Request({3, 1}, Shared("n"));
  EXPECT_EQ(Text(table.Release({2, 1})), Lines{"3.1 granted"});
}

TEST(LockTableTest, IfAvailableNeverWaits) {
  LockTable table;
  EXPECT_EQ(Text(table.Request({1, 1}, IfAvailable(Exclusive("n")))), Lines{"1.1 granted"});
  EXPECT_EQ(Text(table.Request({1, 2}, IfAvailable(Shared("n")))), Lines{"1.2 not available"});
  EXPECT_FALSE(table.Contains({1, 2}));
  (void)table.Request({2, 1}, Exclusive("n"));
  (void)table.Release({1, 1});
  EXPECT_EQ(Text(table.Request({1, 3}, IfAvailable(Exclusive("n")))), Lines{"1.3 not available"});
}

TEST(LockTableTest, StealingTakesTheLockFromAllHoldersAndBeforeAllThatWait) {
  LockTable table;
  (void)table.Request({1, 1}, Shared("n"));
  (void)table.Request({2, 1}, Shared("n"));
  (void)table.Request({3, 1}, Exclusive("n"));
  LockCall steal = Exclusive("n");
  steal.steal = true;
  EXPECT_EQ(Text(table.Request({4, 1}, steal)), (Lines{"1.1 stolen", "2.1 stolen", "4.1 granted"}));
  EXPECT_EQ(Text(table.Release({1, 1})), Lines{}) << "what was stolen cannot be given back";
  EXPECT_EQ(Text(table.Release({4, 1})), Lines{"3.1 granted"});
}

TEST(LockTableTest, AProcessThatEndsHoldsNothing) {
  LockTable table;
  (void)table.Request({1, 1}, Exclusive("a"));
  (void)table.Request({1, 2}, Exclusive("a"));
  (void)table.Request({1, 3}, Exclusive("b"));
  (void)table.Request({2, 1}, Exclusive("a"));
  (void)table.Request({2, 2}, Shared("b"));
  EXPECT_EQ(Text(table.ProcessEnded(1)), (Lines{"2.1 granted", "2.2 granted"}));
  EXPECT_EQ(table.UsageOf(1).entries, 0U);
  EXPECT_EQ(table.UsageOf(2).entries, 2U);
}

TEST(LockTableTest, OriginsDoNotSeeEachOther) {
  LockTable table;
  (void)table.Request({1, 1}, Exclusive("n"));
  LockCall other = Exclusive("n");
  other.origin = "https://b.example";
  EXPECT_EQ(Text(table.Request({2, 1}, other)), Lines{"2.1 granted"});
  EXPECT_EQ(table.OfOrigin("https://b.example").held.size(), 1U);
  EXPECT_TRUE(table.OfOrigin("https://c.example").held.empty());
}

TEST(LockTableTest, TellsWhatIsHeldAndWhatWaits) {
  LockTable table;
  (void)table.Request({1, 1}, Shared("n"));
  (void)table.Request({2, 1}, Exclusive("n"));
  const auto snapshot = table.OfOrigin("https://a.example");
  ASSERT_EQ(snapshot.held.size(), 1U);
  ASSERT_EQ(snapshot.waiting.size(), 1U);
  EXPECT_EQ(snapshot.held[0].name, "n");
  EXPECT_TRUE(snapshot.held[0].entry.shared);
  EXPECT_EQ(snapshot.waiting[0].entry.holder.process, 2U);
  EXPECT_EQ(table.UsageOf(1).name_bytes, 1U);
}

}  // namespace
}  // namespace vigil::host
