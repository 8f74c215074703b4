#include "gateway/audit/log_index.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "gateway/base/check.h"
#include "gateway/base/error.h"

namespace sluice::audit {
namespace {

constexpr int kRunLevel = 8;
constexpr uint64_t kRun = 1 << kRunLevel;
constexpr uint64_t kPlaceEvery = 1 << 20;

}  // namespace

void SubtreeStack::Push(int level, Hash hash) {
  while (!parts_.empty() && parts_.back().first == level) {
    hash = NodeHash(parts_.back().second, hash);
    parts_.pop_back();
    ++level;
  }
  parts_.emplace_back(level, hash);
}

const Hash& SubtreeStack::Single() const {
  SLUICE_CHECK(parts_.size() == 1);
  return parts_.front().second;
}

void LogIndex::Inside::Add(uint64_t offset, uint64_t first_index, const std::vector<Hash>& leaves) {
  if (places.empty() || first_index >= places.back().first + kRun ||
      offset >= places.back().second + kPlaceEvery)
    places.emplace_back(first_index, offset);
  for (uint64_t i = 0; i < leaves.size(); ++i) {
    const uint64_t index = first_index + i;
    // A run that began in the segment before is put together from that one's leaves when asked for.
    if (index % kRun == 0) open.clear();
    open.push_back(leaves[i]);
    if (index % kRun == kRun - 1 && open.size() == kRun) runs.emplace(index / kRun, RootOf(open));
  }
}

LogIndex::LogIndex(FileSystem& files, std::string directory, std::vector<SegmentExtent> chain,
                   uint64_t records)
    : files_(files), directory_(std::move(directory)) {
  MutexLock lock(mutex_);
  records_ = records;
  for (SegmentExtent& extent : chain) segments_.push_back({std::move(extent), nullptr});
}

absl::Status LogIndex::ReadLastSegment() {
  SegmentExtent last;
  {
    MutexLock lock(mutex_);
    last = segments_.back().extent;
  }
  SLUICE_ASSIGN_OR_RETURN(auto inside, ReadInside(last));
  MutexLock lock(mutex_);
  segments_.back().inside = std::move(inside);
  return absl::OkStatus();
}

void LogIndex::AddSegment(const SegmentHeader& header) {
  MutexLock lock(mutex_);
  segments_.push_back({{header, kSegmentHeader}, std::make_shared<Inside>()});
}

void LogIndex::AddBatch(uint64_t offset, uint64_t end, uint64_t first_index,
                        const std::vector<Hash>& leaves) {
  MutexLock lock(mutex_);
  Segment& last = segments_.back();
  last.inside->Add(offset, first_index, leaves);
  last.extent.end = end;
  records_ = first_index + leaves.size();
}

std::vector<SegmentExtent> LogIndex::ExtentsFrom(uint64_t number) const {
  MutexLock lock(mutex_);
  std::vector<SegmentExtent> out;
  for (const Segment& segment : segments_)
    if (segment.extent.header.number >= number) out.push_back(segment.extent);
  return out;
}

absl::StatusOr<std::shared_ptr<LogIndex::Inside>> LogIndex::ReadInside(
    const SegmentExtent& extent) {
  SLUICE_ASSIGN_OR_RETURN(auto reader,
                          SegmentReader::Open(files_, SegmentPath(directory_, extent.header.number),
                                              ReadFrom::kCacheAllowed));
  auto inside = std::make_shared<Inside>();
  LogCursor cursor = LogCursor::At(extent.header);
  while (reader.position() < extent.end) {
    const uint64_t at = reader.position();
    const auto batch = reader.Next(extent.end);
    std::vector<Hash> leaves;
    absl::Status status = batch.status();
    if (status.ok())
      status = cursor.Take(*batch, [&](uint64_t, const Hash& leaf) { leaves.push_back(leaf); });
    if (!status.ok()) return Annotate(status, Place(extent.header.number, at));
    inside->Add(at, batch->header.first_index, leaves);
  }
  return inside;
}

absl::StatusOr<size_t> LogIndex::Find(uint64_t index) {
  SegmentExtent unread;
  size_t found = 0;
  {
    MutexLock lock(mutex_);
    SLUICE_CHECK(index < records_);
    // Behind the segment may stand others that are as yet empty and begin with the same index.
    while (found + 1 < segments_.size() && segments_[found + 1].extent.header.first_index <= index)
      ++found;
    if (segments_[found].inside != nullptr) return found;
    unread = segments_[found].extent;
  }
  SLUICE_ASSIGN_OR_RETURN(auto inside, ReadInside(unread));
  MutexLock lock(mutex_);
  if (segments_[found].inside == nullptr) segments_[found].inside = std::move(inside);
  return found;
}

absl::Status LogIndex::EachBatch(uint64_t begin, const std::function<bool(const Batch&)>& each) {
  SLUICE_ASSIGN_OR_RETURN(size_t found, Find(begin));
  for (bool first = true;; first = false, ++found) {
    SegmentExtent extent;
    uint64_t from = kSegmentHeader;
    {
      MutexLock lock(mutex_);
      if (found >= segments_.size()) return absl::OkStatus();
      extent = segments_[found].extent;
      if (first) {
        const auto& places = segments_[found].inside->places;
        const auto behind = std::upper_bound(places.begin(), places.end(),
                                             std::pair<uint64_t, uint64_t>(begin, UINT64_MAX));
        SLUICE_CHECK(behind != places.begin());
        from = std::prev(behind)->second;
      }
    }
    SLUICE_ASSIGN_OR_RETURN(
        auto reader, SegmentReader::Open(files_, SegmentPath(directory_, extent.header.number),
                                         ReadFrom::kCacheAllowed));
    reader.Seek(from);
    while (reader.position() < extent.end) {
      const uint64_t at = reader.position();
      const auto batch = reader.Next(extent.end);
      if (!batch.ok()) return Annotate(batch.status(), Place(extent.header.number, at));
      if (batch->header.first_index + batch->records.size() <= begin) continue;
      if (!each(*batch)) return absl::OkStatus();
    }
  }
}

absl::StatusOr<std::vector<Hash>> LogIndex::ReadRun(uint64_t run) {
  std::vector<Hash> leaves;
  const uint64_t begin = run * kRun;
  SLUICE_RETURN_IF_ERROR(EachBatch(begin, [&](const Batch& batch) {
    for (size_t i = 0; i < batch.records.size() && leaves.size() < kRun; ++i)
      if (batch.header.first_index + i >= begin)
        leaves.push_back(LeafHash(batch.records[i].envelope));
    return leaves.size() < kRun;
  }));
  return leaves;
}

absl::StatusOr<Hash> LogIndex::Subtree(uint64_t begin, int level, LeafCache& cache) {
  const uint64_t end = begin + (uint64_t{1} << level);
  SLUICE_ASSIGN_OR_RETURN(const size_t found, Find(end - 1));
  SubtreeStack stack;
  uint64_t at = begin;
  std::map<uint64_t, Hash> runs;
  {
    MutexLock lock(mutex_);
    const Segment& segment = segments_[found];
    const SegmentHeader& header = segment.extent.header;
    // The part before the segment stands in its header, as subtrees that do not cross `begin`.
    uint64_t part = 0;
    size_t next = 0;
    for (int bit = 63; bit >= 0; --bit) {
      if ((header.first_index >> bit & 1) == 0) continue;
      const Hash& hash = header.tree.hashes()[next++];
      if (part >= begin) {
        stack.Push(bit, hash);
        at = part + (uint64_t{1} << bit);
      }
      part += uint64_t{1} << bit;
    }
    const auto& all = segment.inside->runs;
    runs.insert(all.lower_bound(at / kRun), all.lower_bound(end / kRun));
  }
  while (at < end) {
    const uint64_t run = at / kRun;
    const auto known = runs.find(run);
    if (at % kRun == 0 && at + kRun <= end && known != runs.end()) {
      stack.Push(kRunLevel, known->second);
      at += kRun;
      continue;
    }
    auto leaves = cache.find(run);
    if (leaves == cache.end() || leaves->second.size() <= at % kRun) {
      SLUICE_ASSIGN_OR_RETURN(auto read, ReadRun(run));
      leaves = cache.insert_or_assign(run, std::move(read)).first;
    }
    if (leaves->second.size() <= at % kRun)
      return absl::DataLossError(absl::StrCat("#", at, " cannot be read back"));
    stack.Push(0, leaves->second[at % kRun]);
    ++at;
  }
  return stack.Single();
}

}  // namespace sluice::audit
