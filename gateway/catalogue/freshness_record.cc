#include "gateway/catalogue/freshness_record.h"

#include <utility>

#include "gateway/base/error.h"
#include "gateway/identity/submit.h"
#include "gateway/store/definition.h"
#include "google/protobuf/util/time_util.h"

namespace sluice::catalogue {
namespace {

// What is stored and recorded of a dataset: `data_as_of` and `overdue` alone.
absl::StatusOr<std::optional<v1::Freshness>> FindRecorded(store::Reader& reader,
                                                          const std::string& dataset) {
  return store::LoadOne<v1::Freshness>(
      reader, "SELECT definition FROM freshness WHERE dataset = ?1", {store::SqlText(dataset)});
}

}  // namespace

FreshnessRecord::FreshnessRecord(store::Store& store, audit::Changes& changes, const Clock& clock,
                                 FreshnessOf freshness,
                                 std::function<void(const absl::Status&)> trouble)
    : store_(store),
      changes_(changes),
      clock_(clock),
      freshness_(std::move(freshness)),
      trouble_(std::move(trouble)) {}

absl::Status FreshnessRecord::Load() {
  std::set<std::string> overdue;
  SLUICE_RETURN_IF_ERROR(store_.Read([&](store::Reader& reader) -> absl::Status {
    SLUICE_ASSIGN_OR_RETURN(const auto rows,
                            reader.Query("SELECT definition, dataset FROM freshness", {}));
    SLUICE_ASSIGN_OR_RETURN(const auto recorded, store::ParseRows<v1::Freshness>(rows));
    for (size_t i = 0; i < rows.size(); ++i)
      if (recorded[i].overdue()) overdue.emplace(rows[i].Text(1));
    return absl::OkStatus();
  }));
  MutexLock lock(mutex_);
  overdue_ = std::move(overdue);
  loaded_ = true;
  return absl::OkStatus();
}

absl::Status FreshnessRecord::Look(const Datasets& datasets) {
  if (!loaded_) SLUICE_RETURN_IF_ERROR(Load());
  for (const auto& [name, dataset] : datasets) {
    const v1::Dataset& definition = dataset->definition;
    if (definition.state() == v1::DATASET_STATE_RETIRED) continue;
    const auto found = freshness_(name);
    if (!found || !found->has_data_as_of()) continue;
    const bool overdue =
        IsOverdue(definition.update_cycle(),
                  google::protobuf::util::TimeUtil::TimestampToMicroseconds(found->data_as_of()),
                  clock_.Now());
    {
      MutexLock lock(mutex_);
      if (overdue_.contains(name) == overdue || !recording_.insert(name).second) continue;
    }
    Submit(definition, found->data_as_of(), overdue);
  }
  return absl::OkStatus();
}

void FreshnessRecord::Submit(const v1::Dataset& dataset,
                             const google::protobuf::Timestamp& data_as_of, bool overdue) {
  v1::Freshness after;
  *after.mutable_data_as_of() = data_as_of;
  after.set_overdue(overdue);
  const std::string name = dataset.name();
  changes_.Submit(
      audit::ChangeActor(), audit::Changes::Effect::kAfterRecord,
      [name, after](store::Transaction& transaction) -> absl::StatusOr<audit::ChangeOutcome> {
        SLUICE_ASSIGN_OR_RETURN(const auto before, FindRecorded(transaction, name));
        if ((before && before->overdue()) == after.overdue()) return identity::Unchanged();
        SLUICE_RETURN_IF_ERROR(transaction.Execute(
            "INSERT INTO freshness VALUES (?1, CAST(?2 AS BLOB))"
            " ON CONFLICT (dataset) DO UPDATE SET definition = excluded.definition",
            {store::SqlText(name), store::SqlText(store::SerializeStably(after))}));
        audit::ChangeOutcome outcome =
            identity::OutcomeOf("freshness", name, after.overdue() ? "overdue" : "fresh",
                                before ? &*before : nullptr, &after);
        outcome.dataset = name;
        outcome.owner_agency = name.substr(0, name.find('/'));
        return outcome;
      },
      [this, name, overdue](const absl::Status& status) {
        {
          MutexLock lock(mutex_);
          recording_.erase(name);
          if (status.ok() && overdue) overdue_.insert(name);
          if (status.ok() && !overdue) overdue_.erase(name);
        }
        if (!status.ok()) trouble_(status);
      });
}

}  // namespace sluice::catalogue
