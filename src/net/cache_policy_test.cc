#include "net/cache_policy.h"

#include <gtest/gtest.h>

#include "net/fetch_headers.h"

namespace vigil::net {
namespace {

using std::chrono::seconds;

const WallTime kStart{std::chrono::seconds(1'000'000'000)};  // 2001-09-09 01:46:40

HttpClientRequest Get(Headers headers = {}) {
  HttpClientRequest request;
  request.url = "https://shop.example/";
  request.headers = std::move(headers);
  return request;
}
HttpClientHead Ok(Headers headers) {
  HttpClientHead head;
  head.status = 200;
  head.headers = std::move(headers);
  return head;
}
StoredHead Stored(Headers headers, const HttpClientRequest& request = Get()) {
  return MakeStored(request, Ok(std::move(headers)), kStart, kStart);
}
bool FreshAfter(seconds age, Headers headers) { return IsFresh(Stored(std::move(headers)), kStart + age); }

TEST(CachePolicy, ReadsTheThreeFormsOfADate) {
  for (const char* text :
       {"Sun, 09 Sep 2001 01:46:40 GMT", "Sunday, 09-Sep-01 01:46:40 GMT", "Sun Sep  9 01:46:40 2001"})
    EXPECT_EQ(ParseHttpDate(text), kStart) << text;
  for (const char* text : {"", "0", "yesterday", "Sun, 09 Sep 2001 01:46:40 GMT trailing"})
    EXPECT_FALSE(ParseHttpDate(text)) << text;
}

TEST(CachePolicy, MaxAgeSaysHowLongItIsFresh) {
  EXPECT_TRUE(FreshAfter(seconds(59), {{"Cache-Control", "max-age=60"}}));
  EXPECT_FALSE(FreshAfter(seconds(60), {{"Cache-Control", "max-age=60"}}));
  EXPECT_TRUE(FreshAfter(seconds(59), {{"Cache-Control", "public, max-age=\"60\", max-age=1"}}));
  EXPECT_TRUE(FreshAfter(seconds(1000), {{"Cache-Control", "max-age=99999999999999999999"}}));
  EXPECT_FALSE(FreshAfter(seconds(0), {{"Cache-Control", "max-age=soon"}}));
}

TEST(CachePolicy, ExpiresCountsFromTheServersDate) {
  const Headers headers = {{"Date", "Sun, 09 Sep 2001 01:00:00 GMT"},
                           {"Expires", "Sun, 09 Sep 2001 02:00:00 GMT"}};
  // It was 46:40 old when it came.
  EXPECT_TRUE(FreshAfter(seconds(799), headers));
  EXPECT_FALSE(FreshAfter(seconds(800), headers));
  EXPECT_FALSE(FreshAfter(seconds(0), {{"Expires", "0"}}));
}

TEST(CachePolicy, WithoutAWordOfTheServerATenthOfItsAge) {
  const Headers headers = {{"Last-Modified", "Sun, 09 Sep 2001 01:30:00 GMT"}};  // 1,000 s ago
  EXPECT_TRUE(FreshAfter(seconds(99), headers));
  EXPECT_FALSE(FreshAfter(seconds(100), headers));
  EXPECT_FALSE(FreshAfter(seconds(0), {}));
}

TEST(CachePolicy, TheAgeOnTheWayCounts) {
  const Headers headers = {{"Cache-Control", "max-age=60"}, {"Age", "50"}};
  EXPECT_TRUE(FreshAfter(seconds(9), headers));
  EXPECT_FALSE(FreshAfter(seconds(10), headers));
  StoredHead slow = Stored({{"Cache-Control", "max-age=60"}, {"Age", "50"}});
  slow.requested_at = kStart - seconds(5);
  EXPECT_FALSE(IsFresh(slow, kStart + seconds(5)));
}

TEST(CachePolicy, NoCacheIsNeverFresh) {
  EXPECT_FALSE(FreshAfter(seconds(0), {{"Cache-Control", "no-cache, max-age=60"}}));
  EXPECT_FALSE(
      FreshAfter(seconds(0), {{"Pragma", "no-cache"}, {"Expires", "Sun, 09 Sep 2035 02:00:00 GMT"}}));
}

TEST(CachePolicy, SaysWhatMayBeKept) {
  EXPECT_TRUE(MayStore(Get(), Ok({})));
  EXPECT_FALSE(MayStore(Get(), Ok({{"Cache-Control", "private, No-Store"}})));
  EXPECT_FALSE(MayStore(Get({{"Cache-Control", "no-store"}}), Ok({})));
  EXPECT_FALSE(MayStore(Get({{"Range", "bytes=0-1"}}), Ok({})));
  HttpClientRequest post = Get();
  post.method = "POST";
  EXPECT_FALSE(MayStore(post, Ok({{"Cache-Control", "max-age=60"}})));
  HttpClientHead found = Ok({});
  found.status = 302;
  EXPECT_FALSE(MayStore(Get(), found));
  found.headers = {{"Cache-Control", "max-age=60"}};
  EXPECT_TRUE(MayStore(Get(), found));
  found.status = 206;
  EXPECT_FALSE(MayStore(Get(), found));
}

TEST(CachePolicy, KeepsNoCookies) {
  EXPECT_FALSE(HasHeader(Stored({{"Set-Cookie", "a=b"}, {"ETag", "\"1\""}}).head.headers, "set-cookie"));
}

TEST(CachePolicy, ComparesWhatTheResponseVariesBy) {
  const StoredHead german = Stored({{"Vary", "Accept-Language, X-Absent"}}, Get({{"Accept-Language", "de"}}));
  EXPECT_EQ(MatchVary(german, Get({{"accept-language", "de"}})), VaryMatch::kSame);
  EXPECT_EQ(MatchVary(german, Get({{"Accept-Language", "en"}})), VaryMatch::kDiffers);
  EXPECT_EQ(MatchVary(german, Get({{"Accept-Language", "de"}, {"X-Absent", "1"}})), VaryMatch::kDiffers);
  EXPECT_EQ(MatchVary(Stored({{"Vary", "*"}}), Get()), VaryMatch::kUnknown);
}

TEST(CachePolicy, AsksByTagAndDate) {
  const StoredHead stored = Stored({{"ETag", "\"1\""}, {"Last-Modified", "Sun, 09 Sep 2001 01:30:00 GMT"}});
  const Headers question = ValidationHeaders(stored, true);
  EXPECT_EQ(CombinedValue(question, "if-none-match"), "\"1\"");
  EXPECT_EQ(CombinedValue(question, "if-modified-since"), "Sun, 09 Sep 2001 01:30:00 GMT");
  EXPECT_FALSE(HasHeader(ValidationHeaders(stored, false), "if-modified-since"));
  EXPECT_TRUE(ValidationHeaders(Stored({}), true).empty());
}

TEST(CachePolicy, A304RenewsTheHeadersButNotWhatDescribesTheBody) {
  StoredHead stored = Stored({{"Content-Length", "5"}, {"Cache-Control", "max-age=1"}, {"X-Old", "stays"}});
  HttpClientHead answer;
  answer.status = 304;
  answer.headers = {{"Content-Length", "0"}, {"cache-control", "max-age=60"}, {"X-New", "1"}, {"X-New", "2"}};
  Freshen(stored, answer, kStart + seconds(100), kStart + seconds(100));
  EXPECT_EQ(CombinedValue(stored.head.headers, "content-length"), "5");
  EXPECT_EQ(CombinedValue(stored.head.headers, "cache-control"), "max-age=60");
  EXPECT_EQ(CombinedValue(stored.head.headers, "x-old"), "stays");
  EXPECT_EQ(CombinedValue(stored.head.headers, "x-new"), "1, 2");
  EXPECT_EQ(stored.head.status, 200);
  EXPECT_TRUE(IsFresh(stored, kStart + seconds(159)));
}

TEST(CachePolicy, AChangeOnTheServerInvalidates) {
  EXPECT_TRUE(Invalidates("POST", 201));
  EXPECT_TRUE(Invalidates("DELETE", 302));
  EXPECT_FALSE(Invalidates("POST", 404));
  EXPECT_FALSE(Invalidates("GET", 200));
}

}  // namespace
}  // namespace vigil::net
