#include "store/data_directory.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <optional>

#include "store/test_directory.h"

namespace vigil::store {
namespace {

using ::testing::HasSubstr;

TEST(DataDirectory, IsMadeWithItsParentsForItsOwnerOnly) {
  const TestDirectory scratch;
  const auto directory = DataDirectory::Open(scratch / "a/b/vigil");
  ASSERT_TRUE(directory) << directory.error().message;
  struct stat info {};
  ASSERT_EQ(::stat(directory->path().c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777U, 0700U);
  EXPECT_EQ(directory->File("x.db"), scratch / "a/b/vigil/x.db");
}

TEST(DataDirectory, HasOneOwnerAndNamesIt) {
  const TestDirectory scratch;
  auto first = DataDirectory::Open(scratch.path());
  ASSERT_TRUE(first);
  const auto second = DataDirectory::Open(scratch.path());
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code, ErrorCode::kAlreadyExists);
  EXPECT_THAT(second.error().message, HasSubstr(fmt::format("process {}", ::getpid())));
  EXPECT_THAT(second.error().message, HasSubstr(scratch.path().string()));
}

TEST(DataDirectory, IsFreeAgainWhenItsOwnerWasKilled) {
  const TestDirectory scratch;
  int ready[2];
  ASSERT_EQ(::pipe(ready), 0);
  const pid_t child = ::fork();
  if (child == 0) {
    const auto held = DataDirectory::Open(scratch.path());
    if (held && ::write(ready[1], "x", 1) == 1) ::pause();
    ::_exit(1);
  }
  char byte = 0;
  ASSERT_EQ(::read(ready[0], &byte, 1), 1);
  const auto refused = DataDirectory::Open(scratch.path());
  ASSERT_FALSE(refused);
  EXPECT_THAT(refused.error().message, HasSubstr(fmt::format("process {}", child)));
  ::kill(child, SIGKILL);
  ASSERT_EQ(::waitpid(child, nullptr, 0), child);
  EXPECT_TRUE(DataDirectory::Open(scratch.path()));
  ::close(ready[0]);
  ::close(ready[1]);
}

TEST(DataDirectory, IsGivenBackWithTheObject) {
  const TestDirectory scratch;
  { ASSERT_TRUE(DataDirectory::Open(scratch.path())); }
  EXPECT_TRUE(DataDirectory::Open(scratch.path()));
}

TEST(DataDirectory, SaysSoWhenAFileIsInItsPlace) {
  const TestDirectory scratch;
  WriteFile(scratch / "file", "hello");
  const auto directory = DataDirectory::Open(scratch / "file");
  ASSERT_FALSE(directory);
  EXPECT_THAT(directory.error().message, HasSubstr("Not a directory"));
  EXPECT_EQ(ReadFile(scratch / "file"), "hello");
}

TEST(DataDirectory, SaysSoWhenItMayNotBeWritten) {
  const TestDirectory scratch;
  std::filesystem::permissions(scratch.path(), std::filesystem::perms(0555));
  std::optional<WithoutRoot> somebody(std::in_place);
  const auto unwritable = DataDirectory::Open(scratch.path());
  const auto uncreatable = DataDirectory::Open(scratch / "below");
  somebody.reset();
  std::filesystem::permissions(scratch.path(), std::filesystem::perms(0700));
  ASSERT_FALSE(unwritable);
  EXPECT_EQ(unwritable.error().code, ErrorCode::kPermissionDenied);
  EXPECT_THAT(unwritable.error().message, HasSubstr("--data"));
  ASSERT_FALSE(uncreatable);
  EXPECT_EQ(uncreatable.error().code, ErrorCode::kPermissionDenied);
}

}  // namespace
}  // namespace vigil::store
