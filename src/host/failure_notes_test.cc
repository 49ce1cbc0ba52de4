#include "host/failure_notes.h"

#include <gtest/gtest.h>

namespace vigil::host {
namespace {

RegistrationKey Key(int number) { return {1, vigil::SyncKind::kOneShot, std::to_string(number)}; }

TEST(FailureNotes, KeepTheLastReasonUntilItIsOfNoInterest) {
  FailureNotes notes;
  EXPECT_EQ(notes.Find(Key(1)), "");
  notes.Note(Key(1), "ran out of memory\nat x.js:1");
  notes.Note(Key(1), "used up its CPU time");
  EXPECT_EQ(notes.Find(Key(1)), "used up its CPU time");
  notes.Forget(Key(1));
  EXPECT_EQ(notes.Find(Key(1)), "");
  notes.Note(Key(2), std::string(10'000, 'x'));
  EXPECT_LT(notes.Find(Key(2)).size(), 600U);
}

TEST(FailureNotes, AreThoseOfTheNewest) {
  FailureNotes notes;
  for (int i = 0; i < 5000; ++i) notes.Note(Key(i), "x");
  EXPECT_EQ(notes.Find(Key(0)), "");
  EXPECT_EQ(notes.Find(Key(4999)), "x");
}

}  // namespace
}  // namespace vigil::host
