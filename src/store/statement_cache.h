// Private to database.cc and statement.cc: a compiled statement that waits for its next use.
#pragma once

#include <sqlite3.h>

#include "store/database.h"

namespace vigil::store {

struct Statement::Cached {
  sqlite3_stmt* handle = nullptr;
  bool in_use = false;

  explicit Cached(sqlite3_stmt* compiled) : handle(compiled) {}
  Cached(const Cached&) = delete;
  Cached& operator=(const Cached&) = delete;
  ~Cached() { sqlite3_finalize(handle); }
};

}  // namespace vigil::store
