#include "storage/idb_put.h"

#include <algorithm>
#include <cmath>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/utf8.h"
#include "storage/idb_schema.h"
#include "storage/key_codec.h"

namespace vigil::storage {
namespace {

using Operation = ipc::IdbOperation;

// A key generator stops here (Indexed Database API, section 2.11).
constexpr double kMaxGenerated = 9007199254740992.0;

KeyRange Only(std::string_view key) { return KeyRange{.lower = std::string(key), .upper = std::string(key)}; }

// Names are stored as big-endian UTF-16. Half a surrogate pair becomes U+FFFD.
std::string ReadableName(std::string_view name) {
  const auto unit = [&](std::size_t i) -> std::uint32_t {
    if (i + 1 >= name.size()) return 0;
    return static_cast<unsigned char>(name[i]) << 8 | static_cast<unsigned char>(name[i + 1]);
  };
  std::string text;
  for (std::size_t i = 0; i + 1 < name.size(); i += 2) {
    std::uint32_t code = unit(i);
    const std::uint32_t low = unit(i + 2);
    if (code >= 0xD800 && code <= 0xDBFF && low >= 0xDC00 && low <= 0xDFFF) {
      code = 0x10000 + ((code - 0xD800) << 10) + (low - 0xDC00);
      i += 2;
    }
    AppendUtf8(code, text);
  }
  return text;
}

ipc::IdbResult NotUnique(const ipc::IdbIndexInfo& index) {
  return Refusal("ConstraintError", "Unable to add key to index '" + ReadableName(index.name()) +
                                        "': at least one key does not satisfy the uniqueness requirements.");
}

struct NewEntry {
  const ipc::IdbIndexInfo* index;
  std::string key;
};

class PutOperation {
 public:
  PutOperation(OperationContext& context, ipc::IdbStoreInfo& store, const Operation::Put& put)
      : context_(context), store_(store), put_(put) {}

  Result<ipc::IdbResult> Run() {
    if (put_.key().empty() ? !store_.auto_increment() : !IsValidKey(put_.key())) return BadKey();
    VIGIL_ASSIGN(const bool has_key, ChooseKey());
    if (!has_key) {
      return Refusal("ConstraintError", "Maximum key generator value reached.");
    }
    if (!ReadEntries()) return BadKey();
    VIGIL_ASSIGN(std::optional<ipc::IdbResult> refused, CheckConstraints());
    if (refused) return std::move(*refused);
    std::uint64_t bytes = key_.size() + put_.value().size();
    for (const NewEntry& entry : entries_) bytes += 2 * (entry.key.size() + key_.size());
    if (!context_.reserve(bytes)) {
      return Refusal("QuotaExceededError", "The origin has used up its storage quota.");
    }
    VIGIL_TRY(Write());
    ipc::IdbResult result;
    result.set_key(std::move(key_));
    return result;
  }

 private:
  // False: the generator has come to its end.
  Result<bool> ChooseKey() {
    key_ = put_.key();
    if (!store_.auto_increment()) return true;
    if (!key_.empty()) {
      const auto number = DecodeNumber(key_);
      if (!number) return true;  // other types do not move the generator
      VIGIL_ASSIGN(const double next, context_.store.GetGenerator(store_.id()));
      if (*number >= next) {
        const double whole = std::floor(std::min(*number, kMaxGenerated));
        generator_ = whole + 1 > whole ? whole + 1 : whole + 2;
      }
      return true;
    }
    VIGIL_ASSIGN(const double next, context_.store.GetGenerator(store_.id()));
    if (next > kMaxGenerated) return false;
    generator_ = next + 1 > next ? next + 1 : next + 2;
    key_ = EncodeNumber(next);
    return true;
  }

  bool ReadEntries() {
    for (const Operation::IndexKeys& given : put_.index_keys()) {
      const ipc::IdbIndexInfo* index = FindIndex(store_, given.index());
      if (!index) return false;
      for (const std::string& key : given.keys()) {
        std::string real = key;
        if (put_.placeholder()) {
          auto replaced = ReplacePlaceholder(key, key_);
          if (!replaced) return false;
          real = std::move(*replaced);
        }
        if (!IsValidKey(real)) return false;
        entries_.push_back({index, std::move(real)});
      }
    }
    return true;
  }

  Result<std::optional<ipc::IdbResult>> CheckConstraints() {
    if (put_.add()) {
      VIGIL_ASSIGN(const bool exists, context_.store.Has(store_.id(), key_));
      if (exists) {
        return std::optional<ipc::IdbResult>(
            Refusal("ConstraintError", "Key already exists in the object store."));
      }
    }
    for (const NewEntry& entry : entries_) {
      if (!entry.index->unique()) continue;
      VIGIL_ASSIGN(const auto owner, context_.store.GetPrimary(entry.index->id(), entry.key));
      if (owner && *owner != key_) {
        return std::optional<ipc::IdbResult>(NotUnique(*entry.index));
      }
    }
    return std::optional<ipc::IdbResult>();
  }

  Result<> Write() {
    if (generator_) VIGIL_TRY(context_.store.SetGenerator(store_.id(), *generator_));
    if (!put_.add()) {
      for (const ipc::IdbIndexInfo& index : store_.indexes()) {
        VIGIL_TRY(context_.store.DeleteIndexEntries(index.id(), Only(key_)));
      }
    }
    VIGIL_TRY(context_.store.Put(store_.id(), key_, put_.value()));
    for (const NewEntry& entry : entries_) {
      VIGIL_TRY(context_.store.PutIndexEntry(entry.index->id(), entry.key, key_));
    }
    return {};
  }

  OperationContext& context_;
  ipc::IdbStoreInfo& store_;
  const Operation::Put& put_;
  std::string key_;
  std::optional<double> generator_;  // its new number, if the record is stored
  std::vector<NewEntry> entries_;
};

}  // namespace

Result<ipc::IdbResult> ExecutePut(OperationContext& context, ipc::IdbStoreInfo& store,
                                  const Operation::Put& put) {
  return PutOperation(context, store, put).Run();
}

Result<ipc::IdbResult> SetIndexKeys(OperationContext& context, const ipc::IdbStoreInfo& store,
                                    const ipc::IdbIndexInfo& index, const Operation::SetIndexKeys& given) {
  if (!context.may_change_schema || !IsValidKey(given.primary())) return BadKey();
  VIGIL_ASSIGN(const bool exists, context.store.Has(store.id(), given.primary()));
  if (!exists) return BadKey();
  for (const std::string& key : given.keys()) {
    if (!IsValidKey(key)) return BadKey();
    if (index.unique()) {
      VIGIL_ASSIGN(const auto owner, context.store.GetPrimary(index.id(), key));
      if (owner && *owner != given.primary()) {
        return NotUnique(index);
      }
    }
    if (!context.reserve(2 * (key.size() + given.primary().size()))) {
      return Refusal("QuotaExceededError", "The origin has used up its storage quota.");
    }
    VIGIL_TRY(context.store.PutIndexEntry(index.id(), key, given.primary()));
  }
  return ipc::IdbResult();
}

}  // namespace vigil::storage
