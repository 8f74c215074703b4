#include "gateway/exchange/drift.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "gateway/base/error.h"
#include "gateway/catalogue/schema_drift.h"
#include "google/protobuf/util/time_util.h"

namespace sluice::exchange {

using google::protobuf::util::TimeUtil;

void DriftWatch::Look(const policy::SnapshotPtr& snapshot) {
  {
    MutexLock lock(mutex_);
    // Read from no source, by now or at all.
    const auto is_gone = [&](const auto& entry) {
      const auto dataset = snapshot->datasets.find(entry.first);
      return dataset == snapshot->datasets.end() || dataset->second->definition.source().empty() ||
             dataset->second->definition.state() == v1::DATASET_STATE_RETIRED;
    };
    std::erase_if(found_, is_gone);
    std::erase_if(freshness_, is_gone);
  }
  for (const auto& [name, dataset] : snapshot->datasets) {
    const v1::Dataset& definition = dataset->definition;
    if (definition.source().empty() || definition.state() == v1::DATASET_STATE_RETIRED) continue;
    const auto source = sources_.Find(definition.source());
    if (source == nullptr) continue;
    // Where the source is busy or shut off, the next look finds it.
    source
        ->Submit([this, dataset = dataset](absl::StatusOr<adapters::Adapter*> adapter) {
          return adapter.ok() ? LookAt(**adapter, *dataset) : adapter.status();
        })
        .IgnoreError();
  }
}

absl::Status DriftWatch::LookAt(adapters::Adapter& adapter, const catalogue::Dataset& dataset) {
  adapters::CallContext context;
  context.clock = &clock_;
  context.deadline = clock_.Monotonic() + 10 * kSecond;
  context.stop = std::make_shared<adapters::StopToken>();
  const std::string& table = dataset.definition.table();
  const auto tables = adapter.Describe(table, context);
  if (!tables.ok()) return tables.status();
  if (tables->size() == 1) KeepFreshness(dataset.definition.name(), (*tables)[0]);
  std::vector<std::string> lines;
  if (tables->size() != 1) {
    lines.push_back(absl::StrCat("dataset.table: the source has no table \"", table, "\""));
  } else if (const absl::Status fits = catalogue::CheckDrift(dataset, (*tables)[0]); !fits.ok()) {
    const auto mistakes = BadRequestOf(fits);
    if (!mistakes) return fits;
    for (const auto& mistake : mistakes->field_violations())
      lines.push_back(absl::StrCat(mistake.field(), ": ", mistake.description()));
  }
  Keep(dataset, std::move(lines));
  return absl::OkStatus();
}

void DriftWatch::KeepFreshness(const std::string& dataset,
                               const adapters::TableDescription& table) {
  v1::Freshness freshness;
  *freshness.mutable_looked() = TimeUtil::MicrosecondsToTimestamp(clock_.Now());
  if (table.version.as_of)
    *freshness.mutable_data_as_of() = TimeUtil::MicrosecondsToTimestamp(*table.version.as_of);
  if (table.rows) freshness.set_rows(*table.rows);
  freshness.set_version(table.version.version);
  freshness.set_note(table.note);
  MutexLock lock(mutex_);
  freshness_[dataset] = std::move(freshness);
}

std::optional<v1::Freshness> DriftWatch::FreshnessOf(const std::string& dataset) const {
  MutexLock lock(mutex_);
  const auto found = freshness_.find(dataset);
  if (found == freshness_.end()) return std::nullopt;
  return found->second;
}

void DriftWatch::Keep(const catalogue::Dataset& dataset, std::vector<std::string> lines) {
  const std::string& name = dataset.definition.name();
  const int64_t revision = dataset.definition.revision();
  const std::string told = absl::StrJoin(lines, "; ");
  bool was = false;
  const bool is = !lines.empty();
  {
    MutexLock lock(mutex_);
    const auto before = found_.find(name);
    // Looks at several revisions may overlap.
    if (before != found_.end() && before->second.revision > revision) return;
    was = before != found_.end();
    if (is) {
      found_[name] = {revision, std::move(lines)};
    } else if (was) {
      found_.erase(before);
    }
  }
  if (is && !was) {
    operations_.Write(Severity::kWarning, "schema_drift",
                      "a source no longer fits its dataset: nothing of it is released",
                      {{"dataset", name}, {"found", told}});
  } else if (was && !is) {
    operations_.Write(Severity::kInfo, "schema_fits", "a source fits its dataset again",
                      {{"dataset", name}});
  }
}

absl::Status DriftWatch::Check(const catalogue::Dataset& dataset) const {
  const std::string& name = dataset.definition.name();
  {
    MutexLock lock(mutex_);
    const auto found = found_.find(name);
    if (found == found_.end() || found->second.revision != dataset.definition.revision())
      return absl::OkStatus();
  }
  return Error(v1::REASON_SCHEMA_DRIFT,
               absl::StrCat("the source of ", name,
                            " no longer fits its description. Nothing was released."),
               {{"dataset", name}});
}

std::vector<std::string> DriftWatch::Of(const std::string& dataset) const {
  MutexLock lock(mutex_);
  const auto found = found_.find(dataset);
  return found == found_.end() ? std::vector<std::string>() : found->second.lines;
}

std::vector<std::string> DriftWatch::Drifted() const {
  MutexLock lock(mutex_);
  std::vector<std::string> names;
  for (const auto& [name, found] : found_) names.push_back(name);
  return names;
}

}  // namespace sluice::exchange
