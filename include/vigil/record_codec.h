// Registrations as bytes, for embedders whose store is a table of keys and values or a file of their own.
//
// The bytes mean the same on every machine, carry a version and a checksum, and are read by every later
// version of the library. What was cut off, altered, or written by a newer version is refused with a reason,
// never half understood. Pure functions, safe from any thread.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "vigil/export.h"
#include "vigil/registration.h"

namespace vigil {

// The name of a record in a store: different for different registrations, the same for ever. Sorts by service
// worker registration, kind, tag. Nine bytes and the tag.
VIGIL_API std::string EncodeRecordKey(const RegistrationKey& key);

// The whole record, its key included, so that loading needs the values only. About 40 bytes, the tag and the
// origin. The text of a record has one encoding: equal records give equal bytes.
VIGIL_API std::string EncodeRecord(const RegistrationRecord& record);

struct DecodedRecord {
  std::optional<RegistrationRecord> record;
  std::string error;  // why there is none, in one line; empty otherwise
};
// Accepts what EncodeRecord wrote, and nothing else.
VIGIL_API DecodedRecord DecodeRecord(std::string_view bytes);

}  // namespace vigil
