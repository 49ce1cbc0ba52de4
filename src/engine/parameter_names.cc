#include "engine/parameter_names.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdint>
#include <variant>

#include "base/duration.h"
#include "engine/delays.h"

namespace vigil {
namespace {

using Member = std::variant<bool Parameters::*, std::int64_t Parameters::*, double Parameters::*,
                            Duration Parameters::*>;
struct Field {
  const char* name;
  Member member;
};

#define VIGIL_FIELD(name) \
  Field { #name, &Parameters::name }
const Field kFields[] = {
    VIGIL_FIELD(disabled),
    VIGIL_FIELD(skip_permission_check),
    VIGIL_FIELD(max_tag_bytes),
    VIGIL_FIELD(max_registration_bytes_per_origin),
    VIGIL_FIELD(max_attempts),
    VIGIL_FIELD(max_attempts_with_notifications),
    VIGIL_FIELD(first_retry_delay),
    VIGIL_FIELD(retry_factor),
    VIGIL_FIELD(jitter),
    VIGIL_FIELD(sync_event_limit),
    VIGIL_FIELD(min_recovery_time),
    VIGIL_FIELD(max_parallel_events),
    VIGIL_FIELD(max_parallel_events_per_origin),
    VIGIL_FIELD(own_failure_delay),
    VIGIL_FIELD(own_failure_delay_max),
    VIGIL_FIELD(store_retry_delay),
    VIGIL_FIELD(clock_jump_tolerance),
    VIGIL_FIELD(revocation_erases),
    VIGIL_FIELD(permission_checked_at_fire),
    VIGIL_FIELD(start_failure_counts_as_attempt),
    VIGIL_FIELD(hurry_retry_on_reconnect),
    VIGIL_FIELD(client_checked_before_permission),
    VIGIL_FIELD(window_client_required),
    VIGIL_FIELD(reregister_waiting_fires_now),
    VIGIL_FIELD(reregister_waiting_resets_attempts),
    VIGIL_FIELD(acknowledge_timeout),
    VIGIL_FIELD(min_periodic_gap),
    VIGIL_FIELD(space_against_same_tag),
    VIGIL_FIELD(min_periodic_gap_across_origins),
    VIGIL_FIELD(periodic_batch_window),
    VIGIL_FIELD(engagement_factor_max),
    VIGIL_FIELD(engagement_factor_high),
    VIGIL_FIELD(engagement_factor_medium),
    VIGIL_FIELD(engagement_factor_low),
    VIGIL_FIELD(engagement_factor_minimal),
    VIGIL_FIELD(engagement_factor_none),
    VIGIL_FIELD(engagement_checked_at_fire),
    VIGIL_FIELD(known_network_required),
    VIGIL_FIELD(installation_required),
    VIGIL_FIELD(interval_change_keeps_anchor),
    VIGIL_FIELD(periodic_reregistered_fires_again),
    VIGIL_FIELD(engagement_max_score),
    VIGIL_FIELD(engagement_max_points_per_day),
    VIGIL_FIELD(engagement_navigation_points),
    VIGIL_FIELD(engagement_input_points),
    VIGIL_FIELD(engagement_visible_media_points),
    VIGIL_FIELD(engagement_hidden_media_points),
    VIGIL_FIELD(engagement_first_of_day_bonus),
    VIGIL_FIELD(engagement_notification_points),
    VIGIL_FIELD(engagement_launch_bonus),
    VIGIL_FIELD(engagement_launch_bonus_days),
    VIGIL_FIELD(engagement_decay_period),
    VIGIL_FIELD(engagement_decay_factor),
    VIGIL_FIELD(engagement_decay_points),
    VIGIL_FIELD(engagement_max_idle_periods),
    VIGIL_FIELD(engagement_idle_grace),
    VIGIL_FIELD(engagement_cleanup_threshold),
    VIGIL_FIELD(engagement_bootstrapped_score),
    VIGIL_FIELD(engagement_low_from),
    VIGIL_FIELD(engagement_medium_from),
    VIGIL_FIELD(engagement_high_from),
    VIGIL_FIELD(engagement_input_after_navigation),
    VIGIL_FIELD(engagement_input_after_shown),
    VIGIL_FIELD(engagement_input_interval),
    VIGIL_FIELD(worker_start_limit),
    VIGIL_FIELD(new_worker_start_limit),
    VIGIL_FIELD(event_limit),
    VIGIL_FIELD(worker_idle_stop),
    VIGIL_FIELD(worker_stop_limit),
    VIGIL_FIELD(worker_heap_bytes),
    VIGIL_FIELD(worker_array_buffer_bytes),
    VIGIL_FIELD(worker_cpu_limit),
    VIGIL_FIELD(worker_max_requests),
    VIGIL_FIELD(worker_max_request_bytes),
    VIGIL_FIELD(worker_max_fetches),
    VIGIL_FIELD(event_max_fetches),
    VIGIL_FIELD(worker_max_messages),
    VIGIL_FIELD(worker_max_message_bytes),
    VIGIL_FIELD(worker_max_console_lines),
    VIGIL_FIELD(worker_console_lines_per_second),
    VIGIL_FIELD(origin_max_notifications),
    VIGIL_FIELD(max_notification_bytes),
    VIGIL_FIELD(origin_max_connections),
    VIGIL_FIELD(origin_max_service_workers),
    VIGIL_FIELD(origin_quota_bytes),
    VIGIL_FIELD(max_pages),
    VIGIL_FIELD(zygote_max_forks),
    VIGIL_FIELD(zygote_max_age),
};
#undef VIGIL_FIELD

Result<> BadValue(std::string_view name, std::string_view value, std::string_view wanted) {
  return Fail(ErrorCode::kInvalidArgument, fmt::format("{}={}: needs {}", name, value, wanted));
}

// Zero makes sense for these (it switches a feature off or makes a wait instant); everywhere else numbers
// that are used as a divisor or as a count of something must be positive.
bool NeedsPositive(std::string_view name) {
  return name == "max_attempts" || name == "max_attempts_with_notifications" || name == "max_tag_bytes" ||
         name == "engagement_decay_period" || name == "sync_event_limit" || name == "event_limit" ||
         name == "own_failure_delay" || name == "store_retry_delay" || name == "worker_start_limit" ||
         name == "new_worker_start_limit" || name == "origin_quota_bytes";
}

Result<> Assign(Parameters& parameters, const Field& field, std::string_view value) {
  const std::string_view name = field.name;
  if (const auto* flag = std::get_if<bool Parameters::*>(&field.member)) {
    if (value != "true" && value != "false") return BadValue(name, value, "true or false");
    parameters.*(*flag) = value == "true";
    return {};
  }
  if (const auto* duration = std::get_if<Duration Parameters::*>(&field.member)) {
    const auto parsed = ParseDuration(value);
    if (!parsed) return BadValue(name, value, "a duration such as 250ms, 30s, 5min, 12h or 2d");
    if (NeedsPositive(name) && *parsed <= Duration::zero())
      return BadValue(name, value, "a duration above zero");
    parameters.*(*duration) = *parsed;
    return {};
  }
  if (const auto* integer = std::get_if<std::int64_t Parameters::*>(&field.member)) {
    constexpr std::int64_t kMost = 1'000'000'000'000;
    std::int64_t parsed = 0;
    const auto end = std::from_chars(value.data(), value.data() + value.size(), parsed);
    const bool whole = end.ec == std::errc() && end.ptr == value.data() + value.size();
    const std::int64_t least = NeedsPositive(name) ? 1 : 0;
    if (!whole || parsed < least || parsed > kMost) {
      return BadValue(name, value, fmt::format("a whole number from {}", least));
    }
    if (NeedsPositive(name) && name != "max_tag_bytes" && name != "origin_quota_bytes" &&
        parsed > 1'000'000) {
      return BadValue(name, value, "a whole number up to 1000000");
    }
    parameters.*(*integer) = parsed;
    return {};
  }
  double parsed = 0;
  const auto end = std::from_chars(value.data(), value.data() + value.size(), parsed);
  const bool whole = end.ec == std::errc() && end.ptr == value.data() + value.size();
  if (!whole || !std::isfinite(parsed) || parsed < 0) return BadValue(name, value, "a number from 0");
  if (name == "retry_factor" && parsed < 1) return BadValue(name, value, "a number from 1");
  parameters.*std::get<double Parameters::*>(field.member) = parsed;
  return {};
}

// Exactly, in the largest unit that divides it.
std::string DurationText(Duration duration) {
  struct Unit {
    std::int64_t microseconds;
    const char* name;
  };
  constexpr Unit kUnits[] = {
      {3'600'000'000, "h"}, {60'000'000, "min"}, {1'000'000, "s"}, {1000, "ms"}, {1, "us"}};
  if (duration == Duration::zero()) return "0s";
  for (const Unit& unit : kUnits) {
    if (duration.count() % unit.microseconds == 0) {
      return fmt::format("{}{}", duration.count() / unit.microseconds, unit.name);
    }
  }
  return fmt::format("{}us", duration.count());
}

}  // namespace

Result<> SetParameter(Parameters& parameters, std::string_view name, std::string_view value) {
  std::string known;
  for (const Field& field : kFields) {
    if (name == field.name) return Assign(parameters, field, value);
    known += known.empty() ? "" : ", ";
    known += field.name;
  }
  return Fail(ErrorCode::kInvalidArgument,
              fmt::format("no parameter is called \"{}\"; known are: {}", name, known));
}

std::optional<std::string> TrySetParameter(Parameters& parameters, std::string_view name,
                                           std::string_view value) {
  Result<> set = SetParameter(parameters, name, value);
  if (set) return std::nullopt;
  return std::move(set).error().message;
}

Result<> SetParameter(Parameters& parameters, std::string_view assignment) {
  const auto equals = assignment.find('=');
  if (equals == std::string_view::npos) {
    return Fail(ErrorCode::kInvalidArgument, fmt::format("\"{}\": needs NAME=VALUE", assignment));
  }
  return SetParameter(parameters, assignment.substr(0, equals), assignment.substr(equals + 1));
}

Parameters WithinReason(Parameters parameters) {
  const Parameters defaults;
  for (const Field& field : kFields) {
    if (const auto* duration = std::get_if<Duration Parameters::*>(&field.member)) {
      parameters.*(*duration) = std::clamp(parameters.*(*duration), Duration::zero(), kLongestDelay);
    } else if (const auto* integer = std::get_if<std::int64_t Parameters::*>(&field.member)) {
      parameters.*(*integer) = std::clamp<std::int64_t>(parameters.*(*integer), 0, 1'000'000'000'000);
    } else if (const auto* number = std::get_if<double Parameters::*>(&field.member)) {
      const double value = parameters.*(*number);
      if (!std::isfinite(value) || value < 0) parameters.*(*number) = defaults.*(*number);
    }
  }
  return parameters;
}

std::vector<NamedParameter> ListParameters(const Parameters& parameters) {
  std::vector<NamedParameter> list;
  for (const Field& field : kFields) {
    std::string value;
    if (const auto* flag = std::get_if<bool Parameters::*>(&field.member)) {
      value = parameters.*(*flag) ? "true" : "false";
    } else if (const auto* duration = std::get_if<Duration Parameters::*>(&field.member)) {
      value = DurationText(parameters.*(*duration));
    } else if (const auto* integer = std::get_if<std::int64_t Parameters::*>(&field.member)) {
      value = std::to_string(parameters.*(*integer));
    } else {
      value = fmt::format("{}", parameters.*std::get<double Parameters::*>(field.member));
    }
    list.push_back({field.name, std::move(value)});
  }
  return list;
}

}  // namespace vigil
