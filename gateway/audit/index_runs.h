// The terms of details that one key seals, as sorted runs in one SQLite file: a bulk read writes
// millions of random terms a minute, of which a tree of postings would touch a page each.
//
//   meta    format, and the newest record whose terms are in it
//   runs    a run's number, state, how many postings and blocks it has, its least and greatest
//           index
//   blocks  packed postings (index_block.h), each just under a page
//   fences  the first posting of each block of a run
//   filters which terms a run may have (term_filter.h), while there is room for it in memory
//
// What is added is a run. Of runs of like size, eight are merged into one of the next level, a
// slice a transaction; the outcome takes their place when it is whole, and they are deleted by
// slices. What a crash leaves half done is deleted likewise.
//
//   growing ──whole──▶ visible ──merged──▶ discarded ──deleted──▶ gone
//      └──────────────crash, failure──────────▲
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "gateway/audit/index_block.h"
#include "gateway/audit/index_cursor.h"
#include "gateway/audit/term_filter.h"
#include "gateway/store/sqlite_connection.h"

namespace sluice::audit {

// Runs below this many postings are one level; each further level is eight times as large.
inline constexpr int64_t kSmallRun = 4096;
inline constexpr size_t kMergedAtOnce = 8;
// The level of a run of so many postings, from 0.
int RunLevel(int64_t postings);

// One thread at a time; outside of transactions of the connection, which outlives it. After an
// error of a disk that is full it goes on from what there was before; DATA_LOSS where what it reads
// is damaged.
class IndexRuns {
 public:
  // Makes the tables in an attached file; or reads them. DATA_LOSS where they are not of `format`.
  static absl::StatusOr<std::unique_ptr<IndexRuns>> Make(store::SqliteConnection& database,
                                                         const std::string& schema,
                                                         const std::string& format,
                                                         FilterRoom& room);
  static absl::StatusOr<std::unique_ptr<IndexRuns>> Open(store::SqliteConnection& database,
                                                         const std::string& schema,
                                                         const std::string& format,
                                                         FilterRoom& room);

  // Sorted, each once; on stable storage when it returns. `newest`: of the records looked at.
  absl::Status Add(const std::vector<Posting>& postings, int64_t newest);
  int64_t newest() const { return newest_; }

  // Merges or deletes, about so many postings; how many it were, 0 where there was nothing to do.
  // Where nothing more is to come (`past`), all is made into few runs.
  absl::StatusOr<int64_t> Work(int64_t postings, bool past);

  // Whether any run may have the term: false is certain, and reads no file.
  bool MayHave(int64_t term) const;
  // Over all that was added.
  std::unique_ptr<PostingCursor> Find(int64_t term);
  size_t visible_runs() const;
  int64_t postings() const;  // a posting that was added twice counts twice

 private:
  enum State : int64_t { kGrowing = 0, kVisible = 1, kDiscarded = 2 };
  struct Fence {
    Posting first;
    int64_t block = 0;
  };
  struct Run {
    int64_t id = 0;
    State state = kGrowing;
    int64_t postings = 0, blocks = 0;
    int64_t lowest = 0, highest = 0;  // indices
    // While it is not discarded.
    std::vector<Fence> fences;
    std::shared_ptr<TermFilter> filter;  // null where there was no room
    bool MayHave(int64_t term) const { return filter == nullptr || filter->MayHave(term); }
  };
  // A run as it is read for a merge.
  struct Input {
    const Run* run = nullptr;
    Block block;
    size_t at = 0, blocks = 0;
    int64_t postings = 0;  // read
    bool done = false;
    const Posting& posting() const { return block.postings[at]; }
  };
  struct Merge {
    Merge(const Run& made, int64_t lowest) : run(made), packer(made.id, lowest) {}
    Run run;
    BlockPacker packer;
    std::vector<Input> inputs;
    std::vector<Input*> sorted;  // by their next postings; those that are done are not in it
  };
  class Cursor;
  class RunCursor;

  IndexRuns(store::SqliteConnection& database, std::string schema, FilterRoom& room)
      : database_(database), schema_(std::move(schema)), room_(room) {}
  absl::Status Load(const std::string& format);
  absl::Status LoadFences();
  absl::Status LoadFilters();
  absl::Status PrepareAll();
  absl::Status InTransaction(const std::function<absl::Status()>& body);
  absl::Status WriteRun(const Run& run);
  absl::Status WriteFilter(const Run& run);
  absl::Status WriteBlock(Run& run, BlockPacker& packer);
  absl::Status Put(Run& run, BlockPacker& packer, const Posting& posting);
  // Its bytes are good until the next. DATA_LOSS where there is none.
  absl::StatusOr<std::string_view> BytesOf(const Fence& fence);
  absl::Status NextBlock(Input& input);
  std::vector<const Run*> ToMerge(bool past) const;
  absl::Status Begin(const std::vector<const Run*>& runs);
  absl::StatusOr<int64_t> MergeSome(int64_t postings);
  absl::Status WriteMerged();
  void Discard(int64_t run);
  absl::StatusOr<int64_t> DeleteSome(int64_t run, int64_t postings);

  store::SqliteConnection& database_;
  const std::string schema_;
  FilterRoom& room_;
  int64_t newest_ = -1;
  std::map<int64_t, Run> runs_;  // by number
  int64_t next_run_ = 1, next_block_ = 1;
  std::unique_ptr<Merge> merge_;
  std::unique_ptr<store::SqliteStatement> next_fence_, read_block_, write_run_, write_block_,
      write_fence_, write_filter_, delete_block_, delete_fence_, delete_filter_, delete_run_;
};

}  // namespace sluice::audit
