#include "control/devtools/indexed_db_domain.h"

#include <boost/json/array.hpp>
#include <string>
#include <utility>

#include "control/devtools/worker_reach.h"

namespace vigil::control::devtools {
namespace asio = boost::asio;
namespace json = boost::json;
namespace {

// What each script has at hand: requests as promises, a database that makes way for others and is closed in
// the end, and the protocol's Key and KeyRange.
constexpr const char* kHead = R"js(
  const done = (request) => new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
    request.onblocked = () => reject(new Error('A connection to the database does not close'));
  });
  const within = async (work) => {
    const known = await indexedDB.databases();
    if (!known.some(({ name }) => name === args.databaseName)) throw new Error('There is no such database');
    const db = await done(indexedDB.open(args.databaseName));
    db.onversionchange = () => db.close();
    try {
      return await work(db);
    } finally {
      db.close();
    }
  };
  const ended = (transaction) => new Promise((resolve, reject) => {
    transaction.oncomplete = () => resolve();
    transaction.onabort = () => reject(transaction.error);
  });
  const toKey = (key) => key.type === 'number' ? key.number : key.type === 'date' ? new Date(key.date)
    : key.type === 'array' ? key.array.map(toKey) : key.string;
  const toRange = (range) => {
    if (!range) return null;
    const { lower, upper, lowerOpen, upperOpen } = range;
    if (lower && upper) return IDBKeyRange.bound(toKey(lower), toKey(upper), lowerOpen, upperOpen);
    if (lower) return IDBKeyRange.lowerBound(toKey(lower), lowerOpen);
    return upper ? IDBKeyRange.upperBound(toKey(upper), upperOpen) : null;
  };
  const toPath = (path) => path === null ? { type: 'null' }
    : Array.isArray(path) ? { type: 'array', array: path } : { type: 'string', string: path };
)js";

constexpr const char* kNames = "return (await indexedDB.databases()).map(({ name }) => name);";

constexpr const char* kDatabase = R"js(
  return within(async (db) => {
    const names = [...db.objectStoreNames];
    const transaction = names.length ? db.transaction(names) : null;
    const objectStores = names.map((name) => {
      const store = transaction.objectStore(name);
      const indexes = [...store.indexNames].map((index) => {
        const { keyPath, unique, multiEntry } = store.index(index);
        return { name: index, keyPath: toPath(keyPath), unique, multiEntry };
      });
      return { name, keyPath: toPath(store.keyPath), autoIncrement: store.autoIncrement, indexes };
    });
    return { name: db.name, version: db.version, objectStores };
  });
)js";

// Three of a row each: key, primary key, value. The last element: whether there are more rows.
constexpr const char* kData = R"js(
  return within(async (db) => {
    const store = db.transaction(args.objectStoreName).objectStore(args.objectStoreName);
    const source = args.indexName ? store.index(args.indexName) : store;
    const request = source.openCursor(toRange(args.keyRange));
    const rows = [];
    let skip = args.skipCount;
    let more = false;
    await new Promise((resolve, reject) => {
      request.onerror = () => reject(request.error);
      request.onsuccess = () => {
        const cursor = request.result;
        if (!cursor) return resolve();
        if (skip > 0) {
          cursor.advance(skip);
          skip = 0;
          return;
        }
        if (rows.length >= 3 * args.pageSize) {
          more = true;
          return resolve();
        }
        rows.push(cursor.key, cursor.primaryKey, cursor.value);
        cursor.continue();
      };
    });
    rows.push(more);
    return rows;
  });
)js";

// The next key of a generator is not told to scripts: it is one more than the largest number that is a key.
constexpr const char* kMetadata = R"js(
  return within(async (db) => {
    const store = db.transaction(args.objectStoreName).objectStore(args.objectStoreName);
    const entriesCount = await done(store.count());
    let keyGeneratorValue = 0;
    if (store.autoIncrement) {
      const last = await done(store.openKeyCursor(IDBKeyRange.upperBound(Infinity), 'prev'));
      keyGeneratorValue = last && typeof last.key === 'number' ? Math.floor(last.key) + 1 : 1;
    }
    return { entriesCount, keyGeneratorValue };
  });
)js";

constexpr const char* kClear = R"js(
  return within(async (db) => {
    const transaction = db.transaction(args.objectStoreName, 'readwrite');
    transaction.objectStore(args.objectStoreName).clear();
    await ended(transaction);
    return {};
  });
)js";

constexpr const char* kDeleteEntries = R"js(
  return within(async (db) => {
    const transaction = db.transaction(args.objectStoreName, 'readwrite');
    transaction.objectStore(args.objectStoreName).delete(toRange(args.keyRange));
    await ended(transaction);
    return {};
  });
)js";

constexpr const char* kDeleteDatabase = "await done(indexedDB.deleteDatabase(args.databaseName)); return {};";

asio::awaitable<Reply> RunScript(std::shared_ptr<WorkerReach> worker, std::string script, json::object params,
                                 std::string name) {
  const Reply reply = co_await worker->Run(std::move(script), std::move(params));
  auto value = ValueOf(reply);
  if (!value) co_return tl::make_unexpected(value.error());
  if (name.empty()) {
    if (value->is_object()) co_return std::move(value->as_object());
    co_return json::object();
  }
  json::object result;
  result[name] = std::move(*value);
  co_return result;
}

// The rows as the objects that they are: a front end looks into them.
asio::awaitable<Reply> Rows(std::shared_ptr<WorkerReach> worker, std::string script, json::object params) {
  const Reply list = co_await worker->RunForObject(std::move(script), std::move(params));
  const auto failed = ValueOf(list);
  if (!failed) co_return tl::make_unexpected(failed.error());
  const json::value* object = list->if_contains("result");
  const json::value* id =
      object != nullptr && object->is_object() ? object->get_object().if_contains("objectId") : nullptr;
  if (id == nullptr) co_return Refuse("The service worker did not answer");
  json::object ask{{"objectId", *id}, {"ownProperties", true}, {"generatePreview", true}};
  std::string method = "Runtime.getProperties";
  const Reply properties = co_await worker->Call(std::move(method), std::move(ask));
  if (!properties) co_return properties;
  const json::value* described = properties->if_contains("result");
  json::array items;
  if (described != nullptr && described->is_array()) {
    // In the order of their numbers; "length" is none of them.
    for (const json::value& property : described->get_array()) {
      const auto* fields = property.if_object();
      if (fields == nullptr || !fields->contains("value") || !fields->contains("name")) continue;
      if (fields->at("name") != "length") items.push_back(fields->at("value"));
    }
  }
  json::array entries;
  bool more = false;
  for (std::size_t i = 0; i < items.size(); i += 3) {
    if (i + 2 < items.size()) {
      entries.emplace_back(
          json::object{{"key", items[i]}, {"primaryKey", items[i + 1]}, {"value", items[i + 2]}});
    } else if (items[i].is_object() && items[i].get_object().contains("value")) {
      more = items[i].get_object().at("value") == json::value(true);
    }
  }
  co_return json::object{{"objectStoreDataEntries", std::move(entries)}, {"hasMore", more}};
}

}  // namespace

const IndexedDbDomain::Methods& IndexedDbDomain::Table() {
  static const Methods table = {
      {"clearObjectStore", &IndexedDbDomain::ClearObjectStore},
      {"deleteDatabase", &IndexedDbDomain::DeleteDatabase},
      {"deleteObjectStoreEntries", &IndexedDbDomain::DeleteObjectStoreEntries},
      {"disable", &IndexedDbDomain::Nothing},
      {"enable", &IndexedDbDomain::Nothing},
      {"getMetadata", &IndexedDbDomain::GetMetadata},
      {"requestData", &IndexedDbDomain::RequestData},
      {"requestDatabase", &IndexedDbDomain::RequestDatabase},
      {"requestDatabaseNames", &IndexedDbDomain::RequestDatabaseNames},
  };
  return table;
}

void IndexedDbDomain::Nothing(const Params&, const Answer& answer) { answer(json::object()); }

void IndexedDbDomain::Run(const Params& params, const Answer& answer, const char* script, const char* name) {
  Spawn(RunScript(session_.worker, std::string(kHead) + script, params, name), answer);
}

void IndexedDbDomain::RequestDatabaseNames(const Params& params, const Answer& answer) {
  Run(params, answer, kNames, "databaseNames");
}
void IndexedDbDomain::RequestDatabase(const Params& params, const Answer& answer) {
  Run(params, answer, kDatabase, "databaseWithObjectStores");
}
void IndexedDbDomain::GetMetadata(const Params& params, const Answer& answer) {
  Run(params, answer, kMetadata, "");
}
void IndexedDbDomain::ClearObjectStore(const Params& params, const Answer& answer) {
  Run(params, answer, kClear, "");
}
void IndexedDbDomain::DeleteObjectStoreEntries(const Params& params, const Answer& answer) {
  Run(params, answer, kDeleteEntries, "");
}
void IndexedDbDomain::DeleteDatabase(const Params& params, const Answer& answer) {
  Run(params, answer, kDeleteDatabase, "");
}
void IndexedDbDomain::RequestData(const Params& params, const Answer& answer) {
  Spawn(Rows(session_.worker, std::string(kHead) + kData, params), answer);
}

}  // namespace vigil::control::devtools
