// The search index: derived from the log, outside its folder, one SQLite file a month, rebuilt at
// will. Holds envelopes' searchable parts only, no detail.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "gateway/audit/log.h"
#include "gateway/base/clock.h"

namespace sluice::audit {

// What the asker may see: decided by the caller of the search.
struct Scope {
  bool all = false;             // an auditor
  std::string agency;           // records of this agency's own acts, and
  bool owned_datasets = false;  // those on datasets that it owns
};

struct SearchQuery {
  std::optional<Micros> since, until;                 // until is not included
  std::string agency, dataset, grant;                 // empty: any
  v1::RecordKind kind = v1::RECORD_KIND_UNSPECIFIED;  // unspecified: all but PROGRESS
  int limit = 100;
  int64_t before = -1;  // only indices below; -1: from the newest
};

struct SearchHit {
  uint64_t index = 0;
};

struct SearchResult {
  std::vector<SearchHit> hits;  // newest first
  bool more = false;
  uint64_t searched_to = 0;  // every record below this index was within reach
};

// Any thread; Search and Follow block on disk: for pool threads.
class SearchIndex {
 public:
  // Opens or makes the files in `directory`; a file that cannot be read is set aside and rebuilt.
  static absl::StatusOr<std::unique_ptr<SearchIndex>> Open(const std::string& directory);
  virtual ~SearchIndex() = default;

  // Takes in what the log has and the index has not, in batches, until it has caught up with the
  // log's size at the call.
  virtual absl::Status CatchUp(Log& log) = 0;
  // Catches up first, so that an answer is complete up to searched_to.
  virtual absl::StatusOr<SearchResult> Search(Log& log, const SearchQuery& query,
                                              const Scope& scope) = 0;
  virtual uint64_t size() const = 0;
  // The newest record, as far as the index has caught up, of the stream that this OPENED begins;
  // that itself where there is no other.
  virtual absl::StatusOr<uint64_t> LatestOf(uint64_t opened) = 0;
  // Whether a record is within the scope; for GetRecord.
  static bool Allows(const Scope& scope, const v1::AuditEnvelope& envelope);
};

}  // namespace sluice::audit
