#include "vigil/site_engagement.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>

namespace vigil::policy {
namespace {

using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

constexpr Duration kUtc = Duration::zero();
const WallTime kNoon = WallTime(hours(24) * 20000 + hours(12));
const Parameters kDefaults;

// As Chromium's own tests have it: slow decay in whole points, no bonus.
Parameters PlainPoints() {
  Parameters parameters;
  parameters.engagement_max_points_per_day = 5;
  parameters.engagement_first_of_day_bonus = 0;
  parameters.engagement_decay_period = hours(24 * 7);
  parameters.engagement_decay_points = 5;
  parameters.engagement_decay_factor = 1;
  return parameters;
}

TEST(EngagementScore, AccumulatesUpToTheDailyCap) {
  const Parameters parameters = PlainPoints();
  EngagementEntry entry;
  for (int i = 0; i < 10; ++i) AddPoints(entry, 0.5, parameters, kNoon + seconds(i), kUtc);
  EXPECT_DOUBLE_EQ(TotalScore(entry, parameters, kNoon), 5);
  AddPoints(entry, 0.5, parameters, kNoon + minutes(1), kUtc);
  EXPECT_DOUBLE_EQ(TotalScore(entry, parameters, kNoon), 5);
}

TEST(EngagementScore, ANewLocalDayHasANewCap) {
  const Parameters parameters = PlainPoints();
  EngagementEntry entry;
  AddPoints(entry, 9, parameters, kNoon, kUtc);
  AddPoints(entry, 9, parameters, kNoon + hours(12) - seconds(1), kUtc);
  EXPECT_DOUBLE_EQ(TotalScore(entry, parameters, kNoon), 5);
  AddPoints(entry, 9, parameters, kNoon + hours(12), kUtc);
  EXPECT_DOUBLE_EQ(TotalScore(entry, parameters, kNoon), 10);
}

TEST(EngagementScore, MidnightIsTheOneOfThePlace) {
  const Parameters parameters = PlainPoints();
  const Duration east = hours(12);
  EngagementEntry entry;
  AddPoints(entry, 9, parameters, kNoon - seconds(1), east);
  AddPoints(entry, 9, parameters, kNoon, east);
  EXPECT_DOUBLE_EQ(TotalScore(entry, parameters, kNoon), 10) << "noon in Greenwich is midnight there";
}

TEST(EngagementScore, ReachesTheMaximumAndNoMore) {
  const Parameters parameters = PlainPoints();
  EngagementEntry entry;
  for (int day = 0; day < 40; ++day) AddPoints(entry, 50, parameters, kNoon + hours(24 * day), kUtc);
  EXPECT_LE(TotalScore(entry, parameters, kNoon + hours(24 * 40)), 100);
  EngagementEntry full;
  full.raw_score = 100;
  full.last_engagement = kNoon;
  full.last_shortcut_launch = kNoon;
  EXPECT_DOUBLE_EQ(TotalScore(full, parameters, kNoon), 100);
}

TEST(EngagementScore, DecaysInWholePeriods) {
  EngagementEntry entry;
  entry.raw_score = 15;
  entry.last_engagement = kNoon;
  EXPECT_DOUBLE_EQ(DecayedScore(entry, kDefaults, kNoon + hours(2) - seconds(1)), 15);
  EXPECT_DOUBLE_EQ(DecayedScore(entry, kDefaults, kNoon + hours(2)), 15 * 0.984);
  EXPECT_DOUBLE_EQ(DecayedScore(entry, kDefaults, kNoon + hours(5)), 15 * 0.984 * 0.984);
  EXPECT_NEAR(DecayedScore(entry, kDefaults, kNoon + hours(86)), 7.5, 0.1) << "half-life";
}

TEST(EngagementScore, DecaysToZeroInPointsAndNotBelow) {
  const Parameters parameters = PlainPoints();
  EngagementEntry entry;
  entry.raw_score = 12;
  entry.last_engagement = kNoon;
  EXPECT_DOUBLE_EQ(DecayedScore(entry, parameters, kNoon + hours(24 * 7)), 7);
  EXPECT_DOUBLE_EQ(DecayedScore(entry, parameters, kNoon + hours(24 * 70)), 0);
}

TEST(EngagementScore, DecayComesBeforeNewPoints) {
  EngagementEntry entry;
  entry.raw_score = 50;
  entry.points_added_today = 3;
  entry.last_engagement = kNoon - hours(10);
  AddPoints(entry, 1, kDefaults, kNoon, kUtc);
  EXPECT_NEAR(entry.raw_score, 50 * std::pow(0.984, 5) + 1, 1e-9);
}

TEST(EngagementScore, AClockThatGoesBackCausesNoDecay) {
  EngagementEntry entry;
  entry.raw_score = 10;
  entry.last_engagement = kNoon;
  EXPECT_DOUBLE_EQ(DecayedScore(entry, kDefaults, kNoon - hours(1000)), 10);
}

TEST(EngagementScore, TheFirstUseOfADayEarnsABonus) {
  EngagementEntry entry;
  AddPoints(entry, 1.5, kDefaults, kNoon, kUtc);
  EXPECT_DOUBLE_EQ(entry.raw_score, 3);
  AddPoints(entry, 1.5, kDefaults, kNoon + minutes(1), kUtc);
  EXPECT_DOUBLE_EQ(entry.raw_score, 4.5);
  AddPoints(entry, 0.6, kDefaults, kNoon + hours(13), kUtc);
  EXPECT_NEAR(entry.points_added_today, 2.1, 1e-9);
}

TEST(EngagementScore, ALaunchFromTheShortcutHelpsForTenWholeDays) {
  EngagementEntry entry;
  entry.last_shortcut_launch = kNoon;
  EXPECT_DOUBLE_EQ(TotalScore(entry, kDefaults, kNoon), 5);
  EXPECT_DOUBLE_EQ(TotalScore(entry, kDefaults, kNoon + hours(24 * 11) - seconds(1)), 5);
  EXPECT_DOUBLE_EQ(TotalScore(entry, kDefaults, kNoon + hours(24 * 11)), 0);
  EXPECT_DOUBLE_EQ(entry.raw_score, 0) << "the bonus is not stored";
}

TEST(EngagementScore, LevelsHaveTheirBounds) {
  const std::pair<double, EngagementLevel> table[] = {
      {0, EngagementLevel::kNone},      {0.01, EngagementLevel::kMinimal}, {0.99, EngagementLevel::kMinimal},
      {1, EngagementLevel::kLow},       {14.9, EngagementLevel::kLow},     {15, EngagementLevel::kMedium},
      {49.9, EngagementLevel::kMedium}, {50, EngagementLevel::kHigh},      {99.9, EngagementLevel::kHigh},
      {100, EngagementLevel::kMax},
  };
  for (const auto& [score, level] : table) EXPECT_EQ(LevelOf(score, kDefaults), level) << score;
}

TEST(SiteEngagement, CountsEachKindOfUse) {
  SiteEngagement engagement(kDefaults);
  engagement.Record("https://a.example", EngagementEvent::kNavigation, kNoon, kUtc);
  EXPECT_DOUBLE_EQ(engagement.Score("https://a.example", kNoon), 3);
  engagement.Record("https://a.example", EngagementEvent::kInput, kNoon, kUtc);
  engagement.Record("https://a.example", EngagementEvent::kVisibleMedia, kNoon, kUtc);
  engagement.Record("https://a.example", EngagementEvent::kHiddenMedia, kNoon, kUtc);
  engagement.Record("https://a.example", EngagementEvent::kNotification, kNoon, kUtc);
  EXPECT_NEAR(engagement.Score("https://a.example", kNoon), 3 + 0.6 + 0.06 + 0.01 + 1, 1e-9);
  EXPECT_EQ(engagement.Level("https://b.example", kNoon), EngagementLevel::kNone);
}

TEST(SiteEngagement, ALaunchedAppIsAtLeastLow) {
  SiteEngagement engagement(kDefaults);
  engagement.RecordLaunch("https://a.example", kNoon);
  EXPECT_EQ(engagement.Level("https://a.example", kNoon + hours(24 * 10)), EngagementLevel::kLow);
}

TEST(SiteEngagement, ALongPauseCostsAtMostFourPeriods) {
  SiteEngagement engagement(kDefaults);
  engagement.Load("https://a.example", {20, 0, kNoon, std::nullopt});
  engagement.Load("https://b.example", {20, 0, kNoon - hours(2), std::nullopt});
  EXPECT_THAT(engagement.AccountForPause(kNoon + hours(9) - seconds(1)), IsEmpty());
  const WallTime back = kNoon + hours(24 * 60);
  EXPECT_THAT(engagement.AccountForPause(back), ElementsAre("https://a.example", "https://b.example"));
  EXPECT_DOUBLE_EQ(engagement.Score("https://a.example", back), 20 * std::pow(0.984, 4));
  EXPECT_DOUBLE_EQ(engagement.Score("https://b.example", back), 20 * std::pow(0.984, 5));
}

TEST(SiteEngagement, TimesInTheFutureAreAPauseToo) {
  SiteEngagement engagement(kDefaults);
  engagement.Load("https://a.example", {20, 0, kNoon + hours(1000), std::nullopt});
  EXPECT_THAT(engagement.AccountForPause(kNoon), ElementsAre("https://a.example"));
  EXPECT_EQ(*engagement.entries().at("https://a.example").last_engagement, kNoon - hours(8));
}

TEST(SiteEngagement, ForgetsWhatIsHardlyUsed) {
  SiteEngagement engagement(kDefaults);
  engagement.Load("https://a.example", {0.5, 0, kNoon, std::nullopt});
  engagement.Load("https://b.example", {0.6, 0, kNoon, std::nullopt});
  EXPECT_THAT(engagement.CleanUp(kNoon), ElementsAre("https://a.example"));
  EXPECT_EQ(engagement.entries().size(), 1U);
}

TEST(SiteEngagement, IsBootstrappedFrom24PointsInAll) {
  SiteEngagement engagement(kDefaults);
  engagement.Load("https://a.example", {12, 0, kNoon, std::nullopt});
  EXPECT_FALSE(engagement.Bootstrapped(kNoon));
  engagement.Load("https://b.example", {12, 0, kNoon, std::nullopt});
  EXPECT_TRUE(engagement.Bootstrapped(kNoon));
}

TEST(InputGate, CountsFromTenSecondsAfterNavigationAndThenEveryTen) {
  InputGate gate(kDefaults);
  const MonoTime start(hours(1));
  EXPECT_FALSE(gate.Input(start));
  gate.Navigated(start);
  EXPECT_FALSE(gate.Input(start + seconds(9)));
  EXPECT_TRUE(gate.Input(start + seconds(10)));
  EXPECT_FALSE(gate.Input(start + seconds(19)));
  EXPECT_TRUE(gate.Input(start + seconds(20)));
  gate.Shown(start + seconds(60));
  EXPECT_TRUE(gate.Input(start + seconds(65)));
}

TEST(EngagementScore, ALittleOnManyDaysAddsUpByTheDay) {
  Parameters parameters = PlainPoints();
  parameters.engagement_decay_points = 0;
  EngagementEntry entry;
  for (int day = 0; day < 20; ++day) AddPoints(entry, 0.5, parameters, kNoon + hours(24 * day), kUtc);
  EXPECT_DOUBLE_EQ(TotalScore(entry, parameters, kNoon + hours(24 * 19)), 10);
}

TEST(EngagementScore, OnAClockThatWentBackPointsCountForTheDayItShows) {
  const Parameters parameters = PlainPoints();
  EngagementEntry entry;
  AddPoints(entry, 9, parameters, kNoon, kUtc);
  AddPoints(entry, 9, parameters, kNoon - hours(48), kUtc);
  EXPECT_DOUBLE_EQ(TotalScore(entry, parameters, kNoon - hours(48)), 10);
  EXPECT_EQ(entry.last_engagement, kNoon - hours(48));
}

TEST(EngagementScore, AnEmptyEntryIsWorthNothing) {
  const EngagementEntry entry;
  EXPECT_DOUBLE_EQ(TotalScore(entry, kDefaults, kNoon), 0);
  EXPECT_EQ(LevelOf(TotalScore(entry, kDefaults, kNoon), kDefaults), EngagementLevel::kNone);
}

TEST(EngagementScore, AnEntryOfWhichOnlyThePointsAreKnownKeepsThem) {
  EngagementEntry entry;
  entry.raw_score = 20;
  EXPECT_DOUBLE_EQ(TotalScore(entry, kDefaults, kNoon), 20);
  AddPoints(entry, 1, kDefaults, kNoon, kUtc);
  EXPECT_DOUBLE_EQ(entry.raw_score, 20 + 1 + 1.5);
}

TEST(EngagementScore, AFullEntryGoesOnWhereItWas) {
  EngagementEntry entry{20, 14, kNoon, kNoon};
  EXPECT_DOUBLE_EQ(TotalScore(entry, kDefaults, kNoon), 25);
  AddPoints(entry, 9, kDefaults, kNoon + minutes(1), kUtc);
  EXPECT_DOUBLE_EQ(entry.raw_score, 21) << "14 of the 15 points of this day are used up";
}

TEST(EngagementScore, TheTotalIsTheDecayedScoreAndTheBonus) {
  const EngagementEntry entry{10, 0, kNoon, kNoon};
  const WallTime later = kNoon + hours(4);
  EXPECT_DOUBLE_EQ(DecayedScore(entry, kDefaults, later), 10 * 0.984 * 0.984);
  EXPECT_DOUBLE_EQ(LaunchBonus(entry, kDefaults, later), 5);
  EXPECT_DOUBLE_EQ(TotalScore(entry, kDefaults, later), 10 * 0.984 * 0.984 + 5);
}

TEST(SiteEngagement, AnOriginThatIsRemovedBeginsAtNothing) {
  SiteEngagement engagement(kDefaults);
  engagement.Load("https://a.example", {90, 15, kNoon, kNoon});
  EXPECT_TRUE(engagement.Remove("https://a.example"));
  EXPECT_EQ(engagement.Level("https://a.example", kNoon), EngagementLevel::kNone);
  engagement.Record("https://a.example", EngagementEvent::kNavigation, kNoon, kUtc);
  EXPECT_DOUBLE_EQ(engagement.Score("https://a.example", kNoon), 3) << "and today's cap is free again";
  EXPECT_FALSE(engagement.Remove("https://b.example"));
}

TEST(SiteEngagement, WhatCleanUpWouldForgetHasNoLevel) {
  SiteEngagement sites(kDefaults);
  sites.Record("a", EngagementEvent::kNavigation, kNoon, kUtc);
  const auto at = [&](int periods) { return kNoon + periods * kDefaults.engagement_decay_period; };
  EXPECT_EQ(sites.Level("a", at(111)), EngagementLevel::kMinimal);
  EXPECT_EQ(sites.Level("a", at(112)), EngagementLevel::kNone);
  EXPECT_GT(sites.Score("a", at(112)), 0);
}

TEST(SiteEngagement, LoadedScoresAreWithinTheirBounds) {
  constexpr double kInfinite = std::numeric_limits<double>::infinity();
  SiteEngagement sites(kDefaults);
  sites.Load("a", {kInfinite, -kInfinite, kNoon, std::nullopt});
  sites.Load("b", {-5, 1e300, kNoon, std::nullopt});
  EXPECT_DOUBLE_EQ(sites.Score("a", kNoon), 100);
  EXPECT_LT(sites.Score("a", kNoon + hours(2)), 100) << "it decays like any other";
  EXPECT_DOUBLE_EQ(sites.Score("b", kNoon), 0);
  EXPECT_DOUBLE_EQ(sites.Record("b", EngagementEvent::kNavigation, kNoon, kUtc).points_added_today, 15);
  EXPECT_DOUBLE_EQ(sites.Record("b", EngagementEvent::kNavigation, kNoon + hours(24), kUtc).raw_score, 3);
}

}  // namespace
}  // namespace vigil::policy
