// The control store: SQLite, one file, opened by the daemon alone. Each room keeps its own SQL and
// its own migrations; the store runs them.
//
// Writing is for one thread at a time (Changes sees to that); reading is for any thread, each read
// on one consistent state.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace sluice::store {

using SqlValue = std::variant<std::monostate, int64_t, std::string>;
inline SqlValue SqlText(std::string_view text) { return SqlValue(std::string(text)); }
struct SqlRow {
  std::vector<SqlValue> values;
  int64_t Int(size_t i) const;              // 0 for null
  const std::string& Text(size_t i) const;  // "" for null
};

// Statements with ?1, ?2 … bound from values. Only within Store's callbacks.
class Reader {
 public:
  virtual ~Reader() = default;
  virtual absl::StatusOr<std::vector<SqlRow>> Query(std::string_view sql,
                                                    const std::vector<SqlValue>& values = {}) = 0;
};
class Transaction : public Reader {
 public:
  virtual absl::Status Execute(std::string_view sql, const std::vector<SqlValue>& values = {}) = 0;
};

// A room's tables: steps applied once each, in order, each in a transaction, recorded by room and
// number. Steps are never edited, only added.
struct Migrations {
  std::string room;  // "identity"
  std::vector<std::string> steps;
};

class Store {
 public:
  // Refuses a file that is not ours, is newer than this program, or fails its integrity check.
  static absl::StatusOr<std::unique_ptr<Store>> Open(const std::string& path,
                                                     const std::vector<Migrations>& migrations);
  virtual ~Store() = default;
  // Commits where the function answers OK, synced to disk; rolls back otherwise.
  virtual absl::Status Write(const std::function<absl::Status(Transaction&)>& body) = 0;
  virtual absl::Status Read(const std::function<absl::Status(Reader&)>& body) = 0;
  // Writes all that is committed, as of one moment, into a new file that Open takes; neither
  // readers nor the writer wait for it. The file must not exist; it is closed to others.
  virtual absl::Status CopyTo(const std::string& path) = 0;
};

}  // namespace sluice::store
