// What the log tells of how new data are: a record of the gateway's own when those of a dataset
// become older than its update cycle promises, and one when they are as promised again (Decree 809,
// Art. 38, is reported from them). Once a change: what was recorded last is kept in the store, in
// the transaction that makes the record, so that a restart repeats nothing.
//
// The record is a CHANGED: `resource_kind` "freshness", `resource_name` the dataset, `action`
// "overdue" or "fresh". It has no personal data and no actor.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <set>
#include <string>

#include "absl/status/status.h"
#include "gateway/audit/changes.h"
#include "gateway/base/clock.h"
#include "gateway/base/mutex.h"
#include "gateway/catalogue/dataset_table.h"
#include "gateway/catalogue/freshness.h"
#include "gateway/store/store.h"

namespace sluice::catalogue {

class FreshnessRecord {
 public:
  // `trouble` hears of a record that could not be made, once a look; the next one tries again. All
  // references outlive the object, and it outlives what it has submitted.
  FreshnessRecord(store::Store& store, audit::Changes& changes, const Clock& clock,
                  FreshnessOf freshness, std::function<void(const absl::Status&)> trouble);

  // Compares what the last look at each dataset's source found with what was recorded last, and
  // begins to record what differs. What no look has found yet, or a source does not tell, stays as
  // it was; what is read from no source, or promises nothing, is not overdue. Changes are shared
  // with revocations: at most 8 records are under way, and a look ends where there are as many or
  // where one was refused. The next look goes on behind it. May block on the store the first time.
  // One thread at a time.
  absl::Status Look(const Datasets& datasets);

 private:
  absl::Status Load();
  // With `overdue`; nothing where it stays as it was recorded last.
  std::optional<v1::Freshness> NowOf(const v1::Dataset& dataset) const;
  // False where this look is to end.
  bool Begin(const std::string& dataset, bool overdue, bool& differs);
  void Submit(const std::string& dataset, const v1::Freshness& after);
  void Finish(int64_t look, const std::string& dataset, bool overdue, const absl::Status& status);

  store::Store& store_;
  audit::Changes& changes_;
  const Clock& clock_;
  const FreshnessOf freshness_;
  const std::function<void(const absl::Status&)> trouble_;
  bool loaded_ = false;
  int64_t look_ = 0;    // how many there were
  std::string newest_;  // the dataset whose record was begun last
  Mutex mutex_;
  int64_t refused_ SLUICE_GUARDED_BY(mutex_) = 0;              // the last look that met a refusal
  std::set<std::string> overdue_ SLUICE_GUARDED_BY(mutex_);    // as recorded last
  std::set<std::string> recording_ SLUICE_GUARDED_BY(mutex_);  // not answered yet
};

}  // namespace sluice::catalogue
