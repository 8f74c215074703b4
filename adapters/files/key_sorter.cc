#include "adapters/files/key_sorter.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "adapters/files/errors.h"
#include "gateway/base/error.h"

namespace sluice::adapters::files {
namespace {

constexpr int kStepsPerLook = 1'024;

}  // namespace

struct KeySorter::Merge {
  // Of two readers the one whose key comes later: the heap has the first on top.
  struct Later {
    bool operator()(const std::unique_ptr<KeyRunReader>& a,
                    const std::unique_ptr<KeyRunReader>& b) const {
      return a->entry().key > b->entry().key;
    }
  };

  Merge(Scratch& scratch, std::string_view table, const char* counted, Marks* marks)
      : writer(scratch, table, counted, marks) {}

  KeyRunWriter writer;
  std::vector<KeyRun> runs;
  std::vector<std::unique_ptr<KeyRunReader>> heap;
};

KeySorter::KeySorter(Scratch& scratch, const Budgets& budgets, std::string table,
                     const char* counted)
    : scratch_(scratch), budgets_(budgets), table_(std::move(table)), counted_(counted) {
  // Twice as much for a moment, whenever one grows, would be more than the budget.
  keys_.reserve(budgets.sort_bytes);
  pending_.reserve(budgets.sort_bytes / sizeof(Pending) + 1);
}
KeySorter::~KeySorter() = default;

absl::Status KeySorter::Add(std::string_view key, const Place& place) {
  pending_.push_back({keys_.size(), key.size(), place});
  keys_ += key;
  if (keys_.size() + pending_.size() * sizeof(Pending) < budgets_.sort_bytes)
    return absl::OkStatus();
  return WriteRun();
}

absl::Status KeySorter::WriteRun() {
  const auto key_of = [this](const Pending& pending) {
    return std::string_view(keys_).substr(pending.key, pending.size);
  };
  // Where keys are equal the earlier row comes first, so that errors are the same each time.
  std::sort(pending_.begin(), pending_.end(), [&](const Pending& a, const Pending& b) {
    const int order = key_of(a).compare(key_of(b));
    if (order != 0) return order < 0;
    return std::pair(a.place.offset, a.place.part) < std::pair(b.place.offset, b.place.part);
  });
  KeyRunWriter writer(scratch_, table_, counted_, nullptr);
  for (const Pending& pending : pending_)
    SLUICE_RETURN_IF_ERROR(writer.Add({key_of(pending), pending.place}));
  SLUICE_ASSIGN_OR_RETURN(const KeyRun run, writer.Close());
  if (run.blocks > 0) runs_.push_back(run);
  pending_.clear();
  keys_.clear();
  return absl::OkStatus();
}

absl::Status KeySorter::Merged(Merge& merge, const Watch& watch) {
  for (int steps = 0; !merge.heap.empty(); ++steps) {
    if (steps % kStepsPerLook == 0) SLUICE_RETURN_IF_ERROR(watch.Check());
    std::pop_heap(merge.heap.begin(), merge.heap.end(), Merge::Later());
    KeyRunReader& first = *merge.heap.back();
    SLUICE_RETURN_IF_ERROR(merge.writer.Add(first.entry()));
    SLUICE_ASSIGN_OR_RETURN(const bool more, first.Next());
    if (more) {
      std::push_heap(merge.heap.begin(), merge.heap.end(), Merge::Later());
    } else {
      merge.heap.pop_back();
    }
  }
  return absl::OkStatus();
}

absl::Status KeySorter::Finish(const Watch& watch, Marks& marks, KeyRun& run) {
  if (!pending_.empty()) SLUICE_RETURN_IF_ERROR(WriteRun());
  pending_ = {};
  keys_ = {};
  for (;;) {
    if (merge_ == nullptr) {
      const bool last = runs_.size() <= budgets_.merge_width;
      const size_t width = last ? runs_.size() : budgets_.merge_width;
      merge_ = std::make_unique<Merge>(scratch_, table_, counted_, last ? &marks : nullptr);
      merge_->runs.assign(runs_.begin(), runs_.begin() + static_cast<int64_t>(width));
      for (const KeyRun& one : merge_->runs) {
        auto reader = std::make_unique<KeyRunReader>(scratch_, one, one.first);
        SLUICE_ASSIGN_OR_RETURN(const bool any, reader->Next());
        if (any) merge_->heap.push_back(std::move(reader));
      }
      std::make_heap(merge_->heap.begin(), merge_->heap.end(), Merge::Later());
      runs_.erase(runs_.begin(), runs_.begin() + static_cast<int64_t>(width));
    }
    SLUICE_RETURN_IF_ERROR(Merged(*merge_, watch));
    SLUICE_ASSIGN_OR_RETURN(const KeyRun merged, merge_->writer.Close());
    for (const KeyRun& one : merge_->runs) scratch_.Forget(one.first, one.blocks);
    merge_.reset();
    if (runs_.empty()) {
      run = merged;
      return absl::OkStatus();
    }
    runs_.push_back(merged);
  }
}

}  // namespace sluice::adapters::files
