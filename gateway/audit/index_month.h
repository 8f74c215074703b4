// One month of the search index: two or more SQLite files.
//
//   2026-11.sqlite                      records, and terms of their envelopes
//   2026-11-three-years.details.sqlite  terms of the details that one key seals (index_runs.h):
//                                       removed when the key is dropped, so that what was erased
//                                       stays erased
//
// Rows of a file of details are on stable storage before the records that they belong to are
// committed; what a crash leaves half done is done again.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "gateway/audit/index_cursor.h"
#include "gateway/audit/index_runs.h"
#include "gateway/audit/index_terms.h"
#include "gateway/audit/record.h"
#include "gateway/base/file_system.h"
#include "gateway/store/sqlite_connection.h"

namespace sluice::audit {

// What the index takes of one record.
struct IndexRow {
  int64_t index = 0;
  Micros time = 0;
  bool progress = false;
  std::vector<int64_t> terms;
  std::string detail_key;             // "2026-11/three-years"
  bool opened = false;                // whether the detail could be read
  std::vector<int64_t> detail_terms;  // if so
};

// Which records of a month are wanted: the newest ones.
struct IndexSpan {
  std::optional<Micros> since, until;
  int64_t before = -1;  // only indices below; -1: from the newest
  int limit = 0;
};

// "2026-11", in UTC.
std::string MonthOf(Micros time);

// One thread at a time.
class IndexMonth {
 public:
  // Opens, or makes where absent. DATA_LOSS where a file is damaged, missing, or not of this
  // format.
  static absl::StatusOr<std::unique_ptr<IndexMonth>> Open(const std::string& directory,
                                                          const std::string& month,
                                                          const std::string& format,
                                                          const DetailKeys& keys, FileSystem& files,
                                                          FilterRoom& room);

  // All of this month, in order of their indices.
  absl::Status Add(const std::vector<IndexRow>& rows);

  // Whether any of these may find something here: false is certain, and reads no file.
  bool MayHave(const std::vector<TermsTogether>& any) const;
  // Indices, newest first.
  absl::StatusOr<std::vector<int64_t>> Find(const TermsTogether& terms, const IndexSpan& span);
  // Places that all searches have looked at so far.
  uint64_t steps() const { return steps_; }
  // The newest record that has the term; -1 for none.
  absl::StatusOr<int64_t> Latest(int64_t term);

  // Merges runs of details, about so many postings, and says how many it were; 0 where there was
  // nothing to do. `past`: no more is to come.
  absl::StatusOr<int64_t> Work(int64_t postings, bool past);

  // Removes the files of details whose keys were dropped.
  absl::Status DropErased(const DetailKeys& keys);
  // DATA_LOSS where a file is gone or has become shorter.
  absl::Status CheckFiles() const;
  // Reads everything. DATA_LOSS where SQLite finds a mistake; CANCELLED soon after `interrupt` says
  // so, which is asked now and then.
  absl::Status CheckWhole(const std::function<bool()>& interrupt);
  // Keeps little of its files in memory, or more.
  void SetPast(bool past);

  int64_t records() const { return records_; }
  int64_t first() const { return first_; }  // -1 for none
  int64_t last() const { return last_; }
  // Records whose details no search reaches.
  int64_t erased() const;

 private:
  // The details under one key.
  struct Details {
    std::string schema;               // "d0"
    std::unique_ptr<IndexRuns> runs;  // null while there is no file
    int64_t records = 0, unread = 0;
    int64_t last = -1;  // of those that were read
  };
  using Statements = std::vector<std::unique_ptr<store::SqliteStatement>>;

  IndexMonth(std::string directory, std::string month, std::string format, FileSystem& files,
             FilterRoom& room);
  std::string DetailsPath(const std::string& key) const;
  absl::Status Load(bool fresh, const DetailKeys& keys);
  absl::Status PrepareAll();
  absl::Status Attach(const std::string& key, Details& details, bool fresh);
  absl::Status AddDetails(const std::vector<IndexRow>& rows);
  absl::Status AddRecords(const std::vector<IndexRow>& rows);
  absl::Status InTransaction(const std::function<absl::Status()>& body);
  absl::Status Insert(const std::string& into, const std::vector<store::SqlValue>& values,
                      size_t columns);
  absl::Status CheckFile(const std::string& schema, const std::string& path);
  void NoteSizes();
  int CacheSize() const;  // of a file; negative, in KiB, as SQLite takes it
  bool Since(const IndexSpan& span) const;
  bool Until(const IndexSpan& span) const;
  // The indices that may meet the span; none where low is above high.
  absl::StatusOr<std::pair<int64_t, int64_t>> Bounds(const IndexSpan& span);
  absl::StatusOr<std::unique_ptr<PostingCursor>> CursorFor(int64_t term, size_t number);
  absl::Status FindAmong(const TermsTogether& terms, IndexRuns* details, const IndexSpan& span,
                         std::vector<int64_t>& found);
  absl::StatusOr<bool> IsWithin(int64_t index, bool progress, const IndexSpan& span);

  const std::string directory_, month_, format_, path_;
  FileSystem& files_;
  FilterRoom& room_;
  std::unique_ptr<store::SqliteConnection> database_;
  Statements find_;                                  // a cursor each, over postings
  std::unique_ptr<store::SqliteStatement> walk_[2];  // records, steps
  std::unique_ptr<store::SqliteStatement> time_of_[2];
  std::unique_ptr<store::SqliteStatement> slots_;
  int64_t records_ = 0, first_ = -1, last_ = -1;
  std::map<std::string, Details> details_;  // by key
  int schemas_ = 0;
  int64_t progress_ = 0;  // of the records, so many are of steps
  uint64_t steps_ = 0;
  bool past_ = false;
  std::map<std::string, uint64_t> sizes_;
};

}  // namespace sluice::audit
