// The tables of Vigil's own files, as migrations. A released one is never edited: append to the list.
#pragma once

#include "store/database.h"

namespace vigil::store {

OpenOptions RecordsOptions();  // vigil.db
OpenOptions LogOptions();      // log.db

}  // namespace vigil::store
