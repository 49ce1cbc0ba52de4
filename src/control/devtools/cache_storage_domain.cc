#include "control/devtools/cache_storage_domain.h"

#include <string>
#include <utility>

#include "control/devtools/worker_reach.h"

namespace vigil::control::devtools {
namespace asio = boost::asio;
namespace json = boost::json;
namespace {

// A cache's id is its storage key and its name: it is the same for every tool and every run.
constexpr const char* kHead = R"js(
  const storageKey = location.origin + '/';
  const opened = async () => {
    const name = args.cacheId.slice(args.cacheId.indexOf('|') + 1);
    if (!(await caches.has(name))) throw new Error('There is no such cache');
    return caches.open(name);
  };
  const listed = (headers) => [...headers].map(([name, value]) => ({ name, value }));
)js";

constexpr const char* kNames = R"js(
  return { caches: (await caches.keys()).map((cacheName) => (
    { cacheId: storageKey + '|' + cacheName, securityOrigin: location.origin, storageKey, cacheName })) };
)js";

constexpr const char* kEntries = R"js(
  const cache = await opened();
  const { skipCount = 0, pageSize = Infinity, pathFilter = '' } = args;
  const fitting = (await cache.keys()).filter(({ url }) => new URL(url).pathname.includes(pathFilter));
  const cacheDataEntries = await Promise.all(fitting.slice(skipCount, skipCount + pageSize).map(async (request) => {
    const response = await cache.match(request, { ignoreVary: true });
    const date = response ? Date.parse(response.headers.get('date') ?? '') : NaN;
    return {
      requestURL: request.url, requestMethod: request.method, requestHeaders: listed(request.headers),
      responseTime: Number.isNaN(date) ? 0 : date / 1000, responseStatus: response?.status ?? 0,
      responseStatusText: response?.statusText ?? '', responseType: response?.type === 'opaque' ? 'opaqueResponse'
        : response?.type === 'opaqueredirect' ? 'opaqueRedirect' : response?.type ?? 'error',
      responseHeaders: response ? listed(response.headers) : [],
    };
  }));
  return { cacheDataEntries, returnCount: fitting.length };
)js";

constexpr const char* kResponse = R"js(
  const cache = await opened();
  const headers = (args.requestHeaders ?? []).map(({ name, value }) => [name, value]);
  const response = await cache.match(new Request(args.requestURL, { headers }))
    ?? await cache.match(args.requestURL, { ignoreVary: true, ignoreMethod: true });
  if (!response) throw new Error('There is no such entry');
  return { response: { body: new Uint8Array(await response.arrayBuffer()).toBase64() } };
)js";

constexpr const char* kDeleteEntry = R"js(
  const cache = await opened();
  await cache.delete(args.request, { ignoreVary: true });
  return {};
)js";

constexpr const char* kDeleteCache =
    "await caches.delete(args.cacheId.slice(args.cacheId.indexOf('|') + 1)); return {};";

asio::awaitable<Reply> RunScript(std::shared_ptr<WorkerReach> worker, std::string script,
                                 json::object params) {
  const Reply reply = co_await worker->Run(std::move(script), std::move(params));
  auto value = ValueOf(reply);
  if (!value) co_return tl::make_unexpected(value.error());
  if (value->is_object()) co_return std::move(value->as_object());
  co_return json::object();
}

}  // namespace

const CacheStorageDomain::Methods& CacheStorageDomain::Table() {
  static const Methods table = {
      {"deleteCache", &CacheStorageDomain::DeleteCache},
      {"deleteEntry", &CacheStorageDomain::DeleteEntry},
      {"requestCacheNames", &CacheStorageDomain::RequestCacheNames},
      {"requestCachedResponse", &CacheStorageDomain::RequestCachedResponse},
      {"requestEntries", &CacheStorageDomain::RequestEntries},
  };
  return table;
}

void CacheStorageDomain::Run(const Params& params, const Answer& answer, const char* script) {
  Spawn(RunScript(session_.worker, std::string(kHead) + script, params), answer);
}

void CacheStorageDomain::RequestCacheNames(const Params& params, const Answer& answer) {
  Run(params, answer, kNames);
}
void CacheStorageDomain::RequestEntries(const Params& params, const Answer& answer) {
  const auto id = StringParam(params, "cacheId");
  if (!id) return answer(tl::make_unexpected(id.error()));
  Run(params, answer, kEntries);
}
void CacheStorageDomain::RequestCachedResponse(const Params& params, const Answer& answer) {
  const auto id = StringParam(params, "cacheId");
  if (!id) return answer(tl::make_unexpected(id.error()));
  Run(params, answer, kResponse);
}
void CacheStorageDomain::DeleteEntry(const Params& params, const Answer& answer) {
  const auto id = StringParam(params, "cacheId");
  const auto request = StringParam(params, "request");
  if (!id) return answer(tl::make_unexpected(id.error()));
  if (!request) return answer(tl::make_unexpected(request.error()));
  Run(params, answer, kDeleteEntry);
}
void CacheStorageDomain::DeleteCache(const Params& params, const Answer& answer) {
  const auto id = StringParam(params, "cacheId");
  if (!id) return answer(tl::make_unexpected(id.error()));
  Run(params, answer, kDeleteCache);
}

}  // namespace vigil::control::devtools
