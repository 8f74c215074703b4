#include "gateway/audit/index_runs.h"

#include <algorithm>
#include <limits>

#include "absl/strings/str_cat.h"
#include "gateway/base/error.h"

namespace sluice::audit {
namespace {

constexpr int64_t kGrowth = 8;          // from a level to the next
constexpr size_t kMostPastAtOnce = 64;  // of a past month's runs
// Blocks are deleted at this many of their postings: it costs about as much as to merge them.
constexpr int64_t kPostingsADelete = 100;
constexpr Posting kBeforeAll = {std::numeric_limits<int64_t>::min(), -1};

// "@" is the schema.
constexpr char kRunTables[] = R"(
  CREATE TABLE @.meta(format TEXT NOT NULL, newest INTEGER NOT NULL);
  CREATE TABLE @.runs(id INTEGER PRIMARY KEY, state INTEGER NOT NULL, postings INTEGER NOT NULL,
                      blocks INTEGER NOT NULL, lowest INTEGER NOT NULL, highest INTEGER NOT NULL);
  CREATE TABLE @.blocks(id INTEGER PRIMARY KEY, data BLOB NOT NULL);
  CREATE TABLE @.fences(run INTEGER, term INTEGER, idx INTEGER, block INTEGER NOT NULL,
                        PRIMARY KEY(run, term, idx)) WITHOUT ROWID;
  CREATE TABLE @.filters(run INTEGER PRIMARY KEY, data BLOB NOT NULL);
)";

std::string InSchema(std::string_view sql, const std::string& schema) {
  std::string text;
  for (const char c : sql) c == '@' ? text.append(schema) : text.append(1, c);
  return text;
}

absl::Status BadRun(std::string_view how) {
  return absl::DataLossError(absl::StrCat("a run of terms ", std::string(how)));
}

}  // namespace

int RunLevel(int64_t postings) {
  int level = 0;
  for (int64_t border = kSmallRun; postings >= border; border *= kGrowth) ++level;
  return level;
}

// Over one run. Keeps what the block that it read last has of the term.
class IndexRuns::RunCursor : public PostingCursor {
 public:
  RunCursor(IndexRuns& runs, const Run& run, int64_t term) : runs_(runs), run_(run), term_(term) {}
  int64_t highest() const { return run_.highest; }

  absl::StatusOr<int64_t> AtOrBelow(int64_t index, uint64_t& steps) override {
    if (at_ <= index) return at_;
    at_ = -1;
    if (index < run_.lowest) return at_;
    ++steps;
    const Posting most{term_, std::min(index, run_.highest)};
    if (!loaded_ || most < first_) SLUICE_RETURN_IF_ERROR(LoadBlock(most));
    const auto above = std::upper_bound(indices_.begin(), indices_.end(), index);
    if (above != indices_.begin()) at_ = *(above - 1);
    return at_;
  }

 private:
  absl::Status LoadBlock(const Posting& most) {
    loaded_ = true;
    first_ = kBeforeAll;
    indices_.clear();
    auto fence = std::upper_bound(
        run_.fences.begin(), run_.fences.end(), most,
        [](const Posting& posting, const Fence& fence) { return posting < fence.first; });
    if (fence == run_.fences.begin()) return absl::OkStatus();
    --fence;
    first_ = fence->first;
    SLUICE_ASSIGN_OR_RETURN(const std::string_view bytes, runs_.BytesOf(*fence));
    SLUICE_ASSIGN_OR_RETURN(indices_, IndicesInBlock(bytes, run_.id, first_, term_));
    return absl::OkStatus();
  }

  IndexRuns& runs_;
  const Run& run_;
  const int64_t term_;
  int64_t at_ = std::numeric_limits<int64_t>::max();  // not known yet
  bool loaded_ = false;
  Posting first_;
  std::vector<int64_t> indices_;
};

class IndexRuns::Cursor : public PostingCursor {
 public:
  Cursor(IndexRuns& runs, int64_t term) {
    for (const auto& [id, run] : runs.runs_)
      if (run.state == kVisible && run.MayHave(term))
        runs_.push_back(std::make_unique<RunCursor>(runs, run, term));
    // What is newer than all of a run is not looked for in it.
    std::sort(runs_.begin(), runs_.end(),
              [](const auto& a, const auto& b) { return a->highest() > b->highest(); });
  }
  absl::StatusOr<int64_t> AtOrBelow(int64_t index, uint64_t& steps) override {
    int64_t newest = -1;
    for (const auto& run : runs_) {
      if (run->highest() <= newest) break;
      SLUICE_ASSIGN_OR_RETURN(const int64_t found, run->AtOrBelow(index, steps));
      newest = std::max(newest, found);
    }
    return newest;
  }

 private:
  std::vector<std::unique_ptr<RunCursor>> runs_;
};

absl::StatusOr<std::unique_ptr<IndexRuns>> IndexRuns::Make(store::SqliteConnection& database,
                                                           const std::string& schema,
                                                           const std::string& format,
                                                           FilterRoom& room) {
  std::unique_ptr<IndexRuns> made(new IndexRuns(database, schema, room));
  SLUICE_RETURN_IF_ERROR(made->InTransaction([&]() -> absl::Status {
    SLUICE_RETURN_IF_ERROR(database.Run(InSchema(kRunTables, schema)));
    return database.Query(InSchema("INSERT INTO @.meta VALUES(?1, -1)", schema), {format}).status();
  }));
  SLUICE_RETURN_IF_ERROR(made->PrepareAll());
  return made;
}

absl::StatusOr<std::unique_ptr<IndexRuns>> IndexRuns::Open(store::SqliteConnection& database,
                                                           const std::string& schema,
                                                           const std::string& format,
                                                           FilterRoom& room) {
  std::unique_ptr<IndexRuns> opened(new IndexRuns(database, schema, room));
  SLUICE_RETURN_IF_ERROR(opened->Load(format));
  SLUICE_RETURN_IF_ERROR(opened->PrepareAll());
  return opened;
}

absl::Status IndexRuns::Load(const std::string& format) {
  SLUICE_ASSIGN_OR_RETURN(const auto meta,
                          database_.Query(InSchema("SELECT format, newest FROM @.meta", schema_)));
  if (meta.size() != 1 || meta[0].Text(0) != format) return BadRun("is of another index");
  newest_ = meta[0].Int(1);
  SLUICE_ASSIGN_OR_RETURN(
      const auto rows,
      database_.Query(
          InSchema("SELECT id, state, postings, blocks, lowest, highest FROM @.runs", schema_)));
  for (const store::SqlRow& row : rows) {
    Run& run = runs_[row.Int(0)];
    // One that was growing has lost who made it grow.
    run = {row.Int(0), row.Int(1) == kVisible ? kVisible : kDiscarded,
           row.Int(2), row.Int(3),
           row.Int(4), row.Int(5)};
    next_run_ = run.id + 1;
  }
  SLUICE_ASSIGN_OR_RETURN(
      next_block_,
      database_.Number(InSchema("SELECT ifnull(max(id), 0) + 1 FROM @.blocks", schema_)));
  return LoadFences();
}

absl::Status IndexRuns::LoadFences() {
  SLUICE_ASSIGN_OR_RETURN(
      const auto fences,
      database_.Prepare(InSchema("SELECT run, term, idx, block FROM @.fences", schema_)));
  for (;;) {
    SLUICE_ASSIGN_OR_RETURN(const bool row, fences->Step());
    if (!row) break;
    const auto run = runs_.find(fences->Int(0));
    if (run == runs_.end()) return BadRun("is missing");
    if (run->second.state != kVisible) continue;
    const Posting first{fences->Int(1), fences->Int(2)};
    run->second.fences.push_back({first, fences->Int(3)});
  }
  for (const auto& [id, run] : runs_)
    if (run.state == kVisible && static_cast<int64_t>(run.fences.size()) != run.blocks)
      return BadRun("is not whole");
  return LoadFilters();
}

absl::Status IndexRuns::LoadFilters() {
  SLUICE_ASSIGN_OR_RETURN(const auto filters,
                          database_.Prepare(InSchema("SELECT run, data FROM @.filters", schema_)));
  for (;;) {
    SLUICE_ASSIGN_OR_RETURN(const bool row, filters->Step());
    if (!row) return absl::OkStatus();
    const auto run = runs_.find(filters->Int(0));
    if (run == runs_.end() || run->second.state != kVisible) continue;
    SLUICE_ASSIGN_OR_RETURN(run->second.filter,
                            TermFilter::Unpack(filters->Bytes(1), run->first, room_));
  }
}

absl::Status IndexRuns::PrepareAll() {
  const std::pair<std::unique_ptr<store::SqliteStatement>*, std::string_view> all[] = {
      {&next_fence_,
       "SELECT term, idx, block FROM @.fences WHERE run=?1 AND (term, idx)>(?2, ?3) ORDER BY term, "
       "idx LIMIT 1"},
      {&read_block_, "SELECT data FROM @.blocks WHERE id=?1"},
      {&write_run_, "INSERT OR REPLACE INTO @.runs VALUES(?1,?2,?3,?4,?5,?6)"},
      {&write_block_, "INSERT INTO @.blocks VALUES(?1,?2)"},
      {&write_fence_, "INSERT INTO @.fences VALUES(?1,?2,?3,?4)"},
      {&write_filter_, "INSERT INTO @.filters VALUES(?1,?2)"},
      {&delete_filter_, "DELETE FROM @.filters WHERE run=?1"},
      {&delete_block_, "DELETE FROM @.blocks WHERE id=?1"},
      {&delete_fence_, "DELETE FROM @.fences WHERE run=?1 AND term=?2 AND idx=?3"},
      {&delete_run_, "DELETE FROM @.runs WHERE id=?1"}};
  for (const auto& [statement, sql] : all) {
    SLUICE_ASSIGN_OR_RETURN(*statement, database_.Prepare(InSchema(sql, schema_)));
  }
  return absl::OkStatus();
}

absl::Status IndexRuns::InTransaction(const std::function<absl::Status()>& body) {
  SLUICE_RETURN_IF_ERROR(database_.Run("BEGIN IMMEDIATE"));
  absl::Status status = body();
  if (status.ok()) status = database_.Run("COMMIT");
  if (!status.ok() && database_.in_transaction()) database_.Run("ROLLBACK").IgnoreError();
  return status;
}

absl::Status IndexRuns::WriteRun(const Run& run) {
  const int64_t values[] = {run.id, run.state, run.postings, run.blocks, run.lowest, run.highest};
  int parameter = 0;
  for (const int64_t value : values) write_run_->Bind(++parameter, value);
  return write_run_->Run();
}

absl::Status IndexRuns::WriteFilter(const Run& run) {
  if (run.filter == nullptr) return absl::OkStatus();
  const std::string data = run.filter->Pack(run.id);
  write_filter_->Bind(1, run.id);
  write_filter_->BindBytes(2, data);
  return write_filter_->Run();
}

absl::Status IndexRuns::WriteBlock(Run& run, BlockPacker& packer) {
  const Posting first = packer.first();
  const std::string data = packer.Take();
  write_block_->Bind(1, next_block_);
  write_block_->BindBytes(2, data);
  SLUICE_RETURN_IF_ERROR(write_block_->Run());
  write_fence_->Bind(1, run.id);
  write_fence_->Bind(2, first.term);
  write_fence_->Bind(3, first.index);
  write_fence_->Bind(4, next_block_);
  run.fences.push_back({first, next_block_++});
  ++run.blocks;
  return write_fence_->Run();
}

absl::Status IndexRuns::Put(Run& run, BlockPacker& packer, const Posting& posting) {
  ++run.postings;
  if (run.filter != nullptr) run.filter->Add(posting.term);
  if (packer.Add(posting)) return absl::OkStatus();
  SLUICE_RETURN_IF_ERROR(WriteBlock(run, packer));
  packer.Add(posting);
  return absl::OkStatus();
}

absl::Status IndexRuns::Add(const std::vector<Posting>& postings, int64_t newest) {
  Run run;
  run.id = next_run_++;
  run.state = kVisible;
  if (!postings.empty()) {
    const auto by_index = [](const Posting& a, const Posting& b) { return a.index < b.index; };
    const auto [least, most] = std::minmax_element(postings.begin(), postings.end(), by_index);
    run.lowest = least->index;
    run.highest = most->index;
    run.filter = TermFilter::Make(static_cast<int64_t>(postings.size()), room_);
  }
  newest = std::max(newest, newest_);
  SLUICE_RETURN_IF_ERROR(database_.Run(InSchema("PRAGMA @.synchronous=FULL", schema_)));
  SLUICE_RETURN_IF_ERROR(InTransaction([&]() -> absl::Status {
    BlockPacker packer(run.id, run.lowest);
    for (const Posting& posting : postings) SLUICE_RETURN_IF_ERROR(Put(run, packer, posting));
    if (!packer.empty()) SLUICE_RETURN_IF_ERROR(WriteBlock(run, packer));
    if (!postings.empty()) SLUICE_RETURN_IF_ERROR(WriteRun(run));
    SLUICE_RETURN_IF_ERROR(WriteFilter(run));
    return database_.Query(InSchema("UPDATE @.meta SET newest=?1", schema_), {newest}).status();
  }));
  newest_ = newest;
  if (!postings.empty()) runs_.emplace(run.id, std::move(run));
  return absl::OkStatus();
}

absl::StatusOr<std::string_view> IndexRuns::BytesOf(const Fence& fence) {
  read_block_->Reset();
  read_block_->Bind(1, fence.block);
  SLUICE_ASSIGN_OR_RETURN(const bool row, read_block_->Step());
  if (!row) return BadRun("lacks a block");
  return read_block_->Bytes(0);
}

absl::Status IndexRuns::NextBlock(Input& input) {
  if (input.blocks == input.run->fences.size()) {
    input.done = true;
    return input.postings == input.run->postings ? absl::OkStatus() : BadRun("is not whole");
  }
  const Fence& fence = input.run->fences[input.blocks];
  SLUICE_ASSIGN_OR_RETURN(const std::string_view bytes, BytesOf(fence));
  SLUICE_ASSIGN_OR_RETURN(input.block, UnpackBlock(bytes, input.run->id));
  read_block_->Reset();
  if (input.block.number != input.blocks++ || input.block.postings.front() != fence.first)
    return BadRun("has a block out of place");
  input.postings += static_cast<int64_t>(input.block.postings.size());
  input.at = 0;
  return absl::OkStatus();
}

std::vector<const IndexRuns::Run*> IndexRuns::ToMerge(bool past) const {
  std::vector<const Run*> runs;
  std::map<int, std::vector<const Run*>> levels;
  for (const auto& [id, run] : runs_) {
    if (run.state != kVisible) continue;
    runs.push_back(&run);
    levels[RunLevel(run.postings)].push_back(&run);
  }
  for (auto& [level, same] : levels) {
    if (past || same.size() < kMergedAtOnce) continue;
    same.resize(kMergedAtOnce);  // the oldest
    return same;
  }
  if (!past) return {};
  // All from the greatest on that the smaller ones together come near to.
  std::sort(runs.begin(), runs.end(),
            [](const Run* a, const Run* b) { return a->postings < b->postings; });
  int64_t smaller = 0;
  size_t count = 0;
  for (size_t i = 0; i < runs.size(); ++i) {
    if (i > 0 && smaller * kGrowth >= runs[i]->postings) count = i + 1;
    smaller += runs[i]->postings;
  }
  runs.resize(std::min(count, kMostPastAtOnce));
  return runs;
}

absl::Status IndexRuns::Begin(const std::vector<const Run*>& runs) {
  Run made;
  made.id = next_run_++;
  made.lowest = runs.front()->lowest;
  for (const Run* run : runs) {
    made.lowest = std::min(made.lowest, run->lowest);
    made.highest = std::max(made.highest, run->highest);
  }
  merge_ = std::make_unique<Merge>(made, made.lowest);
  int64_t postings = 0;
  for (const Run* run : runs) postings += run->postings;
  merge_->run.filter = TermFilter::Make(postings, room_);
  runs_.emplace(made.id, made);
  merge_->inputs.resize(runs.size());
  for (size_t i = 0; i < runs.size(); ++i) {
    merge_->inputs[i].run = runs[i];
    SLUICE_RETURN_IF_ERROR(NextBlock(merge_->inputs[i]));
    if (!merge_->inputs[i].done) merge_->sorted.push_back(&merge_->inputs[i]);
  }
  std::sort(merge_->sorted.begin(), merge_->sorted.end(),
            [](const Input* a, const Input* b) { return a->posting() < b->posting(); });
  return InTransaction([&] { return WriteRun(made); });
}

// A slice. The least posting of all goes first; its input moves back to where its next belongs.
absl::StatusOr<int64_t> IndexRuns::MergeSome(int64_t postings) {
  Merge& merge = *merge_;
  std::vector<Input*>& sorted = merge.sorted;
  int64_t moved = 0;
  SLUICE_RETURN_IF_ERROR(InTransaction([&]() -> absl::Status {
    for (; moved < postings && !sorted.empty(); ++moved) {
      Input* const least = sorted.front();
      if (merge.run.postings == 0 || least->posting() != merge.packer.last())
        SLUICE_RETURN_IF_ERROR(Put(merge.run, merge.packer, least->posting()));
      if (++least->at == least->block.postings.size()) SLUICE_RETURN_IF_ERROR(NextBlock(*least));
      if (least->done) {
        sorted.erase(sorted.begin());
        continue;
      }
      size_t place = 0;
      for (; place + 1 < sorted.size() && sorted[place + 1]->posting() < least->posting(); ++place)
        sorted[place] = sorted[place + 1];
      sorted[place] = least;
    }
    return sorted.empty() ? WriteMerged() : absl::OkStatus();
  }));
  if (!sorted.empty()) return moved;
  for (const Input& input : merge.inputs) Discard(input.run->id);
  runs_[merge.run.id] = std::move(merge.run);
  merge_.reset();
  return moved;
}

absl::Status IndexRuns::WriteMerged() {
  Merge& merge = *merge_;
  if (!merge.packer.empty()) SLUICE_RETURN_IF_ERROR(WriteBlock(merge.run, merge.packer));
  merge.run.state = kVisible;
  SLUICE_RETURN_IF_ERROR(WriteRun(merge.run));
  SLUICE_RETURN_IF_ERROR(WriteFilter(merge.run));
  for (const Input& input : merge.inputs) {
    Run discarded;
    discarded.id = input.run->id;
    discarded.state = kDiscarded;
    SLUICE_RETURN_IF_ERROR(WriteRun(discarded));
  }
  return absl::OkStatus();
}

absl::StatusOr<int64_t> IndexRuns::DeleteSome(int64_t run, int64_t postings) {
  bool left = true;
  int64_t deleted = 0;
  SLUICE_RETURN_IF_ERROR(InTransaction([&]() -> absl::Status {
    for (; deleted < postings; deleted += kPostingsADelete) {
      next_fence_->Bind(1, run);
      next_fence_->Bind(2, kBeforeAll.term);
      next_fence_->Bind(3, kBeforeAll.index);
      SLUICE_ASSIGN_OR_RETURN(left, next_fence_->Step());
      if (!left) break;
      delete_fence_->Bind(1, run);
      delete_fence_->Bind(2, next_fence_->Int(0));
      delete_fence_->Bind(3, next_fence_->Int(1));
      delete_block_->Bind(1, next_fence_->Int(2));
      next_fence_->Reset();
      SLUICE_RETURN_IF_ERROR(delete_block_->Run());
      SLUICE_RETURN_IF_ERROR(delete_fence_->Run());
    }
    if (left) return absl::OkStatus();
    delete_filter_->Bind(1, run);
    SLUICE_RETURN_IF_ERROR(delete_filter_->Run());
    delete_run_->Bind(1, run);
    return delete_run_->Run();
  }));
  if (!left) runs_.erase(run);
  return deleted + 1;
}

absl::StatusOr<int64_t> IndexRuns::Work(int64_t postings, bool past) {
  const auto discarded = std::find_if(
      runs_.begin(), runs_.end(), [](const auto& run) { return run.second.state == kDiscarded; });
  std::vector<const Run*> runs;
  if (merge_ == nullptr && discarded == runs_.end()) runs = ToMerge(past);
  if (merge_ == nullptr && discarded == runs_.end() && runs.empty()) return 0;
  // What a crash takes of it is done again. What Add syncs has all before it.
  SLUICE_RETURN_IF_ERROR(database_.Run(InSchema("PRAGMA @.synchronous=NORMAL", schema_)));
  if (merge_ == nullptr && discarded != runs_.end()) {
    return DeleteSome(discarded->first, postings);
  }
  absl::StatusOr<int64_t> moved = 0;
  if (merge_ == nullptr) {
    if (absl::Status begun = Begin(runs); !begun.ok()) moved = begun;
  }
  const int64_t made = merge_->run.id;
  if (moved.ok()) moved = MergeSome(postings);
  if (moved.ok()) return moved;
  // It may be ahead of what was committed.
  merge_.reset();
  Discard(made);
  return moved;
}

void IndexRuns::Discard(int64_t run) {
  runs_[run].state = kDiscarded;
  runs_[run].fences = {};
  runs_[run].filter = nullptr;
}

bool IndexRuns::MayHave(int64_t term) const {
  return std::any_of(runs_.begin(), runs_.end(), [term](const auto& run) {
    return run.second.state == kVisible && run.second.MayHave(term);
  });
}

std::unique_ptr<PostingCursor> IndexRuns::Find(int64_t term) {
  return std::make_unique<Cursor>(*this, term);
}

size_t IndexRuns::visible_runs() const {
  return static_cast<size_t>(std::count_if(
      runs_.begin(), runs_.end(), [](const auto& run) { return run.second.state == kVisible; }));
}

int64_t IndexRuns::postings() const {
  int64_t postings = 0;
  for (const auto& [id, run] : runs_)
    if (run.state == kVisible) postings += run.postings;
  return postings;
}

}  // namespace sluice::audit
