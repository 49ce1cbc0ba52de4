// Rows of arbitrary values for the tables of a database: what a damaged or hostile file may hold although
// SQLite finds it sound. Types are mixed too, as far as SQLite lets a column hold them.
#pragma once

#include <fuzzer/FuzzedDataProvider.h>

#include <array>
#include <cstdint>
#include <limits>
#include <string>
#include <string_view>
#include <vector>

#include "base/log.h"
#include "store/database.h"

namespace vigil::fuzz {

struct Table {
  const char* name;
  std::vector<const char*> columns;
};

// Values that rows of several tables share, so that they find each other.
inline std::string Text(FuzzedDataProvider& data, std::string_view column) {
  const auto any = [&](auto... choices) {
    const std::array<std::string, sizeof...(choices)> all{std::string(choices)...};
    return all.at(data.ConsumeIntegralInRange<std::size_t>(0, all.size() - 1));
  };
  if (!data.ConsumeBool()) return data.ConsumeRandomLengthString(40);
  if (column == "origin" || column == "jar") return any("https://shop.example", "https://other.example", "");
  if (column == "state") return any("activated", "installed", "redundant");
  if (column.ends_with("url") || column == "scope")
    return any("https://shop.example/", "https://shop.example/sw.js");
  if (column.ends_with("json"))
    return any("{}", "{\"actions\": [{}]}", "[]", "{\"name\": \"x\", \"start_url\": \"/\"}");
  return any("", "tag", "backgroundSync", "sync\nperiodicsync\n", "a\t1\tshop.example\t/\t1\t1\t0\t2\t0\t0");
}

inline std::int64_t Integer(FuzzedDataProvider& data) {
  constexpr std::array<std::int64_t, 14> kOdd = {0,
                                                 1,
                                                 2,
                                                 3,
                                                 -1,
                                                 5,
                                                 7,
                                                 1'700'000'000'000'000,
                                                 1LL << 53,
                                                 1LL << 31,
                                                 -(1LL << 31),
                                                 1LL << 60,
                                                 std::numeric_limits<std::int64_t>::max(),
                                                 std::numeric_limits<std::int64_t>::min()};
  return data.ConsumeBool() ? data.PickValueInArray(kOdd) : data.ConsumeIntegral<std::int64_t>();
}

// Binds one value to every column of the table. Text and blobs are kept in `kept` until the statement has
// run.
inline void BindRow(FuzzedDataProvider& data, const Table& table, store::Statement& statement,
                    std::vector<std::string>& kept) {
  kept.reserve(table.columns.size());
  int index = 0;
  for (const char* column : table.columns) {
    ++index;
    const std::string_view name(column);
    const bool number = name.ends_with("_us") || name.ends_with("id") || name.ends_with("attempts");
    switch (data.ConsumeIntegralInRange<int>(0, 7)) {
      case 0:
        statement.BindNull(index);
        break;
      case 1:
        statement.Bind(index, data.ConsumeFloatingPoint<double>());
        break;
      case 2:
        statement.BindBlob(index, kept.emplace_back(data.ConsumeRandomLengthString(40)));
        break;
      case 3:
      case 4:
        statement.Bind(index, Integer(data));
        break;
      default:
        if (number) {
          statement.Bind(index, Integer(data));
        } else {
          statement.Bind(index, std::string_view(kept.emplace_back(Text(data, name))));
        }
    }
  }
}

// Empties the tables and fills them with up to eight rows each. A row that SQLite refuses (a missing value, a
// key that is there already) is left out.
inline void FillTables(FuzzedDataProvider& data, store::Database& database,
                       const std::vector<Table>& tables) {
  for (const Table& table : tables) (void)database.Run(std::string("DELETE FROM ") + table.name);
  for (const Table& table : tables) {
    std::string names;
    std::string marks;
    for (const char* column : table.columns) {
      names += std::string(names.empty() ? "" : ", ") + column;
      marks += marks.empty() ? "?" : ", ?";
    }
    const std::string sql =
        std::string("INSERT OR REPLACE INTO ") + table.name + " (" + names + ") VALUES (" + marks + ")";
    const int rows = data.ConsumeIntegralInRange<int>(0, 8);
    for (int i = 0; i < rows; ++i) {
      std::vector<std::string> kept;
      store::Statement statement = database.Prepare(sql);
      BindRow(data, table, statement, kept);
      (void)statement.Run();
    }
  }
}

}  // namespace vigil::fuzz
