// Private to database*.cc: what happens to database files outside of SQLite (looking at the first bytes,
// putting damaged ones aside, making a new one durable).
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "base/result.h"

namespace vigil::store {

// Error of a system call on a file, in words. `doing`: "open", "write in" …
Error FileFailure(int error, const std::string& doing, const std::filesystem::path& path);

// Says what is wrong with the file as a whole (empty, not SQLite's format, shorter than its header says), or
// "".
Result<std::string> LookAtFile(const std::filesystem::path& path);

// A file that SQLite found to be damaged while it was in use is marked, so that the next opening checks all
// of it.
void MarkSuspect(const std::filesystem::path& path);
void ClearSuspect(const std::filesystem::path& path);
bool IsSuspect(const std::filesystem::path& path);

// Renames the file and its log to NAME.damaged-N; returns the new name of the file.
Result<std::filesystem::path> PutAside(const std::filesystem::path& path);
std::vector<std::filesystem::path> ListSetAside(const std::filesystem::path& path);

std::vector<std::filesystem::path> ListTraces(const std::filesystem::path& directory);

// Beside a file that is open: NAME-open, with the name of the session (OpenOptions::guard_log).
Result<> SetOpenMarker(const std::filesystem::path& path, const std::string& session);
std::string ReadOpenMarker(const std::filesystem::path& path);  // "" when there is none
void ClearOpenMarker(const std::filesystem::path& path);
bool HasLog(const std::filesystem::path& path);
// Turns the marker into a reminder, NAME.lost-log-N; returns its name.
Result<std::filesystem::path> NoteLostLog(const std::filesystem::path& path);

// Whether the file system could still take a few pages.
bool HasFreeSpace(const std::filesystem::path& path);
// Flushes a finished file, gives it its final name and flushes the directory.
Result<> Publish(const std::filesystem::path& from, const std::filesystem::path& to);
// The file, its log and its shared memory. Absent files are fine.
Result<> RemoveFiles(const std::filesystem::path& path);

}  // namespace vigil::store
