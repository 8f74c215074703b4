// An index that grows, and what the first page of an auditor's search costs: filled from generated
// records, ten million a year. Used by a bench and by a test.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "gateway/audit/generated_log_testing.h"
#include "gateway/audit/record_testing.h"
#include "gateway/audit/search.h"
#include "gateway/audit/subjects.h"

namespace sluice::audit {

struct SearchTiming {
  std::string what;
  double median_ms = 0, worst_ms = 0;
  uint64_t hits = 0;  // of a page of 100, at most
};

class SearchGrowth {
 public:
  SearchGrowth();
  // Records taken in so far are told to `progress`.
  absl::Status GrowTo(uint64_t records, const std::function<void(uint64_t)>& progress);
  // One line a question. The page is of indices alone: the records are read from the log, a place
  // each, whatever its length.
  absl::StatusOr<std::vector<SearchTiming>> Measure();
  uint64_t IndexBytes() const;

 private:
  Draft Make(uint64_t index, Micros* time) const;

  const TestFolder folder_;
  const std::unique_ptr<FileSystem> files_;
  const std::unique_ptr<RandomSource> random_;
  const Pseudonyms pseudonyms_{std::string(32, 'p')};
  std::unique_ptr<DetailKeys> keys_;
  std::unique_ptr<GeneratedLog> log_;
  std::unique_ptr<SearchIndex> index_;
};

}  // namespace sluice::audit
