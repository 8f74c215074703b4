// Whether the sources still fit what their datasets say of them. Looked at when the gateway starts
// and now and then; where one does not fit, nothing of the dataset is released (SCHEMA_DRIFT) until
// a later look finds that it does, or its owner has described it anew. Any thread.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "gateway/base/clock.h"
#include "gateway/base/mutex.h"
#include "gateway/base/operational_log.h"
#include "gateway/exchange/sources.h"
#include "gateway/policy/snapshot.h"

namespace sluice::exchange {

class DriftWatch {
 public:
  // The references outlive the object and what its looks still run.
  DriftWatch(Sources& sources, const Clock& clock, OperationalLog& operations)
      : sources_(sources), clock_(clock), operations_(operations) {}

  // Begins a look at every dataset that is read from a source, each on its source's own pool; what
  // a source does not answer stays as it was. Does not block.
  void Look(const policy::SnapshotPtr& snapshot);

  // SCHEMA_DRIFT, fit for a foreign agency, where the last look at this revision found that it does
  // not fit.
  absl::Status Check(const catalogue::Dataset& dataset) const;
  // What did not fit, a line each; for the owner and the operator.
  std::vector<std::string> Of(const std::string& dataset) const;
  // What the last look found of its data; nothing before the first. Without `overdue`.
  std::optional<v1::Freshness> FreshnessOf(const std::string& dataset) const;
  // The datasets that do not fit.
  std::vector<std::string> Drifted() const;

 private:
  struct Found {
    int64_t revision = 0;
    std::vector<std::string> lines;
  };
  absl::Status LookAt(adapters::Adapter& adapter, const catalogue::Dataset& dataset);
  void KeepFreshness(const std::string& dataset, const adapters::TableDescription& table);
  void Keep(const catalogue::Dataset& dataset, std::vector<std::string> lines);

  Sources& sources_;
  const Clock& clock_;
  OperationalLog& operations_;
  mutable Mutex mutex_;
  std::map<std::string, Found, std::less<>> found_ SLUICE_GUARDED_BY(mutex_);
  std::map<std::string, v1::Freshness, std::less<>> freshness_ SLUICE_GUARDED_BY(mutex_);
};

}  // namespace sluice::exchange
