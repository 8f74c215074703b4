// The search index: derived from the log, outside its folder, some SQLite files a month
// (index_month.h), rebuilt at will. It holds digests (index_terms.h), no value and no identifier.
// It may be lost, cut or damaged at any moment: that is noticed, and it is made anew from the log.
//
// What stands in details is in it only while the key of the details is kept: each search removes
// what belongs to keys that were dropped before it looks into a month, and so does the keeper, once
// a second.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "gateway/audit/log.h"
#include "gateway/audit/record.h"
#include "gateway/audit/record_query.h"

namespace sluice::audit {

struct SearchPage {
  int limit = 100;      // 1 to 1,000
  int64_t before = -1;  // only indices below; -1: from the newest
};

struct SearchResult {
  std::vector<uint64_t> hits;  // newest first
  bool more = false;
  uint64_t searched_to = 0;  // every record below this index was within reach
  uint64_t erased = 0;       // in the months within reach: records without details
};

struct SearchIndexParts {
  const DetailKeys& keys;
  std::string term_key;  // 32 bytes; another key makes the index anew
  // Told why the index is made anew, or lags behind. Any thread.
  std::function<void(const absl::Status&)> on_trouble;
};

// Any thread; all but size block on disk: for pool threads. Whoever asks waits for those who asked
// before, and for one slice of what the keeper does; not for a rebuild.
class SearchIndex {
 public:
  // Opens or makes the files in `directory`; whatever cannot be read is removed and made anew.
  static absl::StatusOr<std::unique_ptr<SearchIndex>> Open(const std::string& directory,
                                                           SearchIndexParts parts);
  virtual ~SearchIndex() = default;

  // Keeps up with the log, which outlives it, in a thread of its own, until it is stopped.
  virtual void Keep(Log& log) = 0;
  virtual void Stop() = 0;

  // Takes in what the log has at the call and the index has not, and brings it into order.
  virtual absl::Status CatchUp(Log& log) = 0;
  // All that the keeper does once it has caught up: runs of terms become few.
  virtual absl::Status PutAllInOrder() = 0;
  // Catches up first where nobody keeps the index; else, where little is missing, takes in a part
  // of it. It answers from what there is then, and says up to where.
  virtual absl::StatusOr<SearchResult> Search(Log& log, const RecordQuery& query,
                                              const Scope& scope, const SearchPage& page) = 0;
  // Throws all of it away. `why` is told to on_trouble, where it is an error.
  virtual absl::Status Rebuild(const absl::Status& why) = 0;
  // Records that it has.
  virtual uint64_t size() const = 0;
  // For each of these OPENED, the newest record of the stream that it begins, as far as the index
  // has caught up; that itself where there is no other.
  virtual absl::StatusOr<std::vector<uint64_t>> LatestOf(const std::vector<uint64_t>& opened) = 0;
  // Years (UTC) of which it has records.
  virtual std::vector<int> Years() const = 0;
};

}  // namespace sluice::audit
