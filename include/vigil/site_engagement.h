// Site engagement: how much a user uses an origin, as one number that decays. It decides how often periodic
// sync may run: PolicyPort::Engagement may answer with SiteEngagement::Level. Pure: the present and the
// offset of local time from UTC are arguments. Thread-compatible.
//
// Numbers are Parameters::engagement_*. Only http and https origins earn points; the caller sees to that.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "vigil/export.h"
#include "vigil/parameters.h"
#include "vigil/ports.h"
#include "vigil/time.h"

namespace vigil::policy {

// What is stored of one origin.
struct EngagementEntry {
  double raw_score = 0;           // as of last_engagement: it decays when it is read
  double points_added_today = 0;  // on the local day of last_engagement
  std::optional<WallTime> last_engagement;
  std::optional<WallTime> last_shortcut_launch;
  friend bool operator==(const EngagementEntry&, const EngagementEntry&) = default;
};

enum class EngagementEvent { kNavigation, kInput, kVisibleMedia, kHiddenMedia, kNotification };

// The raw score after decay. A clock that went backwards causes none.
VIGIL_API double DecayedScore(const EngagementEntry& entry, const Parameters& parameters, WallTime now);
// The launch bonus, or 0.
VIGIL_API double LaunchBonus(const EngagementEntry& entry, const Parameters& parameters, WallTime now);
// Decayed score and bonus, at most engagement_max_score.
VIGIL_API double TotalScore(const EngagementEntry& entry, const Parameters& parameters, WallTime now);
VIGIL_API EngagementLevel LevelOf(double total_score, const Parameters& parameters);
VIGIL_API double PointsFor(EngagementEvent event, const Parameters& parameters);
// Local time minus UTC at some moment: daylight saving makes two days of one year differ.
using UtcOffsetAt = std::function<Duration(WallTime)>;
// Decays, then adds the points, the first-of-day bonus, and keeps to the caps.
VIGIL_API void AddPoints(EngagementEntry& entry, double points, const Parameters& parameters, WallTime now,
                         const UtcOffsetAt& utc_offset);
VIGIL_API void AddPoints(EngagementEntry& entry, double points, const Parameters& parameters, WallTime now,
                         Duration utc_offset);

// All origins of one profile.
class VIGIL_API SiteEngagement {
 public:
  explicit SiteEngagement(const Parameters& parameters) : parameters_(parameters) {}

  void Load(std::string origin, EngagementEntry entry);
  // Both return the entry as it has to be stored. When the last use of any site lies longer ago than a pause
  // may, AccountForPause has to be called before.
  const EngagementEntry& Record(const std::string& origin, EngagementEvent event, WallTime now,
                                const UtcOffsetAt& utc_offset);
  const EngagementEntry& Record(const std::string& origin, EngagementEvent event, WallTime now,
                                Duration utc_offset);
  const EngagementEntry& RecordLaunch(const std::string& origin, WallTime now);

  // After a pause in which no site was used, moves all last times forward so that the pause costs at most
  // engagement_max_idle_periods; launches in the future, since the clock was set back, move to now. Returns
  // the origins whose entries changed and have to be stored.
  std::vector<std::string> AccountForPause(WallTime now);
  // Forgets entries at or below the clean-up threshold and returns their origins, to be removed from the
  // store.
  std::vector<std::string> CleanUp(WallTime now);
  bool Remove(const std::string& origin);

  double Score(const std::string& origin, WallTime now) const;
  // A score that CleanUp would forget counts as forgotten already: kNone.
  EngagementLevel Level(const std::string& origin, WallTime now) const;
  // The sum over all origins has reached engagement_bootstrapped_score.
  bool Bootstrapped(WallTime now) const;
  const std::map<std::string, EngagementEntry>& entries() const { return entries_; }

 private:
  Parameters parameters_;
  std::map<std::string, EngagementEntry> entries_;
};

// Decides which input of one page earns points: from some time after navigation or after the page was shown,
// and then at most once per interval.
class VIGIL_API InputGate {
 public:
  explicit InputGate(const Parameters& parameters) : parameters_(parameters) {}
  void Navigated(MonoTime now) { open_from_ = now + parameters_.engagement_input_after_navigation; }
  void Shown(MonoTime now) { open_from_ = now + parameters_.engagement_input_after_shown; }
  // true: this input earns its points.
  bool Input(MonoTime now);

 private:
  Parameters parameters_;
  std::optional<MonoTime> open_from_;
};

// Decides which samples of playing media earn points: the first one interval after the beginning, then one
// per interval. A silence of two intervals means that it stopped.
class VIGIL_API MediaGate {
 public:
  explicit MediaGate(const Parameters& parameters) : parameters_(parameters) {}
  // true: this sample earns its points.
  bool Playing(MonoTime now);

 private:
  Parameters parameters_;
  std::optional<MonoTime> heard_;
  MonoTime earns_from_{};
};

}  // namespace vigil::policy
