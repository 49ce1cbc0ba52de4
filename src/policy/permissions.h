// Permissions of the two background sync APIs: decided from settings and facts, never by asking the user.
#pragma once

#include <optional>
#include <string_view>

#include "vigil/parameters.h"

namespace vigil::policy {

inline constexpr std::string_view kBackgroundSyncPermission = "background-sync";
inline constexpr std::string_view kPeriodicBackgroundSyncPermission = "periodic-background-sync";
inline constexpr std::string_view kNotificationsPermission = "notifications";

enum class Permission { kGranted, kDenied, kPrompt };

// What is known of one origin. The settings are what the user chose; absent: nothing.
struct PermissionFacts {
  bool secure = true;  // https, or http on loopback
  bool installed = false;
  std::optional<bool> background_sync;
  std::optional<bool> periodic_background_sync;
  std::optional<bool> notifications;
};

// Granted unless the user denied it or the origin is not secure.
Permission DecideBackgroundSync(const PermissionFacts& facts);
// The setting behind the periodic decision, without regard to installation: the user's own choice for
// periodic sync if there is one, and in any case not against a denied background-sync.
bool PeriodicSettingAllows(const PermissionFacts& facts);
// Granted to installed apps whose settings allow it. Never kPrompt.
Permission DecidePeriodicBackgroundSync(const PermissionFacts& facts, const Parameters& parameters);
// kPrompt until the user chose.
Permission DecideNotifications(const PermissionFacts& facts);

// https, or http on a loopback host ("localhost", "*.localhost", 127.0.0.0/8, [::1]).
bool IsPotentiallyTrustworthyOrigin(std::string_view origin);

}  // namespace vigil::policy
