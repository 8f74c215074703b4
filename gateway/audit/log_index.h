// Finds records and subtree hashes in the segments, with little memory: for each segment where
// about every 256th record or MiB begins, and the hash of each complete run of 256 leaves. That is
// below one byte a record where batches are full, 24 bytes a record at most (lone records of 1
// MiB). A segment written by an earlier run is read once, when it is first asked for.
//
// The writer's thread adds; any thread reads. No lock is held while files are read.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "gateway/audit/merkle.h"
#include "gateway/audit/recovery.h"
#include "gateway/base/mutex.h"

namespace sluice::audit {

// A row of complete subtrees, neighbours merged where they make a larger one.
class SubtreeStack {
 public:
  void Push(int level, Hash hash);
  // The root of what was pushed, where that is one complete subtree.
  const Hash& Single() const;

 private:
  std::vector<std::pair<int, Hash>> parts_;
};

class LogIndex {
 public:
  LogIndex(FileSystem& files, std::string directory, std::vector<SegmentExtent> chain,
           uint64_t records);
  // Before the first AddBatch.
  absl::Status ReadLastSegment();

  // A segment begins; batches follow in it.
  void AddSegment(const SegmentHeader& header);
  // A batch that is synced, in the last segment.
  void AddBatch(uint64_t offset, uint64_t end, uint64_t first_index,
                const std::vector<Hash>& leaves);
  // The segments from this one on, each with where its batches end now.
  std::vector<SegmentExtent> ExtentsFrom(uint64_t number) const;

  // Batches from the one that holds record `begin` on, until `each` returns false or the end is
  // reached. DATA_LOSS with the place where one does not hold.
  absl::Status EachBatch(uint64_t begin, const std::function<bool(const Batch&)>& each);

  // Of the complete subtree over [begin, begin + 2^level), which must be synced. `leaves` keeps
  // what was read between calls of one proof.
  using LeafCache = std::map<uint64_t, std::vector<Hash>>;
  absl::StatusOr<Hash> Subtree(uint64_t begin, int level, LeafCache& leaves);

 private:
  // What is known of the inside of a segment.
  struct Inside {
    std::vector<std::pair<uint64_t, uint64_t>> places;  // first index of a batch, its offset
    std::map<uint64_t, Hash> runs;                      // number of a run of 256 leaves, its hash
    std::vector<Hash> open;                             // leaves of the run that is not complete
    void Add(uint64_t offset, uint64_t first_index, const std::vector<Hash>& leaves);
  };
  struct Segment {
    SegmentExtent extent;
    std::shared_ptr<Inside> inside;  // null: not read yet
  };

  // The segment that holds record `index`, its inside read.
  absl::StatusOr<size_t> Find(uint64_t index);
  absl::StatusOr<std::shared_ptr<Inside>> ReadInside(const SegmentExtent& extent);
  // Leaf hashes of [run * 256, min(run * 256 + 256, records)).
  absl::StatusOr<std::vector<Hash>> ReadRun(uint64_t run);

  FileSystem& files_;
  const std::string directory_;
  mutable Mutex mutex_;
  std::vector<Segment> segments_ SLUICE_GUARDED_BY(mutex_);
  uint64_t records_ SLUICE_GUARDED_BY(mutex_) = 0;
};

}  // namespace sluice::audit
