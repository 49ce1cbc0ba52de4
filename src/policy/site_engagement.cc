#include "vigil/site_engagement.h"

#include <algorithm>
#include <cmath>
#include <utility>

namespace vigil::policy {
namespace {

// Number of the local day, counted from the epoch.
std::int64_t LocalDay(WallTime time, Duration utc_offset) {
  using Days = std::chrono::duration<std::int64_t, std::ratio<86400>>;
  return std::chrono::floor<Days>(time.time_since_epoch() + utc_offset).count();
}

}  // namespace

double DecayedScore(const EngagementEntry& entry, const Parameters& parameters, WallTime now) {
  if (!entry.last_engagement || now <= *entry.last_engagement) return entry.raw_score;
  const auto periods = static_cast<double>((now - *entry.last_engagement).count() /
                                           parameters.engagement_decay_period.count());
  const double decayed = entry.raw_score * std::pow(parameters.engagement_decay_factor, periods);
  return std::max(0.0, decayed - periods * parameters.engagement_decay_points);
}

double LaunchBonus(const EngagementEntry& entry, const Parameters& parameters, WallTime now) {
  if (!entry.last_shortcut_launch) return 0;
  const auto days = (now - *entry.last_shortcut_launch) / std::chrono::hours(24);
  return days <= parameters.engagement_launch_bonus_days ? parameters.engagement_launch_bonus : 0;
}

double TotalScore(const EngagementEntry& entry, const Parameters& parameters, WallTime now) {
  const double total = DecayedScore(entry, parameters, now) + LaunchBonus(entry, parameters, now);
  return std::min(total, parameters.engagement_max_score);
}

EngagementLevel LevelOf(double total_score, const Parameters& parameters) {
  if (total_score <= 0) return EngagementLevel::kNone;
  if (total_score < parameters.engagement_low_from) return EngagementLevel::kMinimal;
  if (total_score < parameters.engagement_medium_from) return EngagementLevel::kLow;
  if (total_score < parameters.engagement_high_from) return EngagementLevel::kMedium;
  if (total_score < parameters.engagement_max_score) return EngagementLevel::kHigh;
  return EngagementLevel::kMax;
}

double PointsFor(EngagementEvent event, const Parameters& parameters) {
  switch (event) {
    case EngagementEvent::kNavigation:
      return parameters.engagement_navigation_points;
    case EngagementEvent::kInput:
      return parameters.engagement_input_points;
    case EngagementEvent::kVisibleMedia:
      return parameters.engagement_visible_media_points;
    case EngagementEvent::kHiddenMedia:
      return parameters.engagement_hidden_media_points;
    case EngagementEvent::kNotification:
      return parameters.engagement_notification_points;
  }
  return 0;
}

void AddPoints(EngagementEntry& entry, double points, const Parameters& parameters, WallTime now,
               const UtcOffsetAt& utc_offset) {
  const double score = DecayedScore(entry, parameters, now);
  const auto day = [&](WallTime time) { return LocalDay(time, utc_offset(time)); };
  if (entry.last_engagement && day(*entry.last_engagement) != day(now)) entry.points_added_today = 0;
  if (entry.points_added_today == 0) points += parameters.engagement_first_of_day_bonus;
  points = std::min(points, parameters.engagement_max_score - score);
  points = std::min(points, parameters.engagement_max_points_per_day - entry.points_added_today);
  points = std::max(points, 0.0);
  entry.raw_score = score + points;
  entry.points_added_today += points;
  entry.last_engagement = now;
}

void AddPoints(EngagementEntry& entry, double points, const Parameters& parameters, WallTime now,
               Duration utc_offset) {
  AddPoints(entry, points, parameters, now, [utc_offset](WallTime) { return utc_offset; });
}

// What was stored may be damaged: scores and points outside their bounds would never leave them again.
void SiteEngagement::Load(std::string origin, EngagementEntry entry) {
  const auto within = [](double value, double most) { return value > 0 ? std::min(value, most) : 0; };
  entry.raw_score = within(entry.raw_score, parameters_.engagement_max_score);
  entry.points_added_today = within(entry.points_added_today, parameters_.engagement_max_points_per_day);
  entries_[std::move(origin)] = entry;
}

const EngagementEntry& SiteEngagement::Record(const std::string& origin, EngagementEvent event, WallTime now,
                                              const UtcOffsetAt& utc_offset) {
  EngagementEntry& entry = entries_[origin];
  AddPoints(entry, PointsFor(event, parameters_), parameters_, now, utc_offset);
  return entry;
}

const EngagementEntry& SiteEngagement::Record(const std::string& origin, EngagementEvent event, WallTime now,
                                              Duration utc_offset) {
  return Record(origin, event, now, [utc_offset](WallTime) { return utc_offset; });
}

const EngagementEntry& SiteEngagement::RecordLaunch(const std::string& origin, WallTime now) {
  EngagementEntry& entry = entries_[origin];
  entry.last_shortcut_launch = now;
  return entry;
}

std::vector<std::string> SiteEngagement::AccountForPause(WallTime now) {
  std::vector<std::string> changed;
  std::optional<WallTime> last;
  for (auto& [origin, entry] : entries_) {
    // Launched in the future: the clock was set back. The bonus must not last until then.
    if (entry.last_shortcut_launch && *entry.last_shortcut_launch > now) {
      entry.last_shortcut_launch = now;
      changed.push_back(origin);
    }
    if (entry.last_engagement && (!last || *entry.last_engagement > *last)) last = entry.last_engagement;
  }
  if (!last) return changed;
  const Duration charged = parameters_.engagement_decay_period * parameters_.engagement_max_idle_periods;
  const bool in_future = *last > now;
  if (!in_future && now - *last < charged + parameters_.engagement_idle_grace) return changed;
  for (auto& [origin, entry] : entries_) {
    if (!entry.last_engagement) continue;
    entry.last_engagement = now - charged - (*last - *entry.last_engagement);
    changed.push_back(origin);
  }
  return changed;
}

std::vector<std::string> SiteEngagement::CleanUp(WallTime now) {
  std::vector<std::string> gone;
  for (const auto& [origin, entry] : entries_) {
    if (TotalScore(entry, parameters_, now) <= parameters_.engagement_cleanup_threshold)
      gone.push_back(origin);
  }
  for (const std::string& origin : gone) entries_.erase(origin);
  return gone;
}

bool SiteEngagement::Remove(const std::string& origin) { return entries_.erase(origin) != 0; }

double SiteEngagement::Score(const std::string& origin, WallTime now) const {
  const auto found = entries_.find(origin);
  return found == entries_.end() ? 0 : TotalScore(found->second, parameters_, now);
}

EngagementLevel SiteEngagement::Level(const std::string& origin, WallTime now) const {
  const double score = Score(origin, now);
  return score <= parameters_.engagement_cleanup_threshold ? EngagementLevel::kNone
                                                           : LevelOf(score, parameters_);
}

bool SiteEngagement::Bootstrapped(WallTime now) const {
  double sum = 0;
  for (const auto& [origin, entry] : entries_) sum += TotalScore(entry, parameters_, now);
  return sum >= parameters_.engagement_bootstrapped_score;
}

bool InputGate::Input(MonoTime now) {
  if (!open_from_ || now < *open_from_) return false;
  open_from_ = now + parameters_.engagement_input_interval;
  return true;
}

bool MediaGate::Playing(MonoTime now) {
  const Duration interval = parameters_.engagement_input_interval;
  const bool begins = !heard_ || now - *heard_ >= 2 * interval;
  heard_ = now;
  if (begins) earns_from_ = now + interval;
  if (now < earns_from_) return false;
  earns_from_ = now + interval;
  return true;
}

}  // namespace vigil::policy
