#include "gateway/catalogue/freshness_record.h"

#include <utility>

#include "gateway/base/error.h"
#include "gateway/identity/submit.h"
#include "gateway/store/definition.h"
#include "google/protobuf/util/time_util.h"

namespace sluice::catalogue {
namespace {

// Of the 256 changes that may wait.
constexpr size_t kMostUnderWay = 8;

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

std::optional<v1::Freshness> FreshnessRecord::NowOf(const v1::Dataset& dataset) const {
  v1::Freshness now;
  now.set_overdue(false);
  if (dataset.source().empty() || !PromisesAge(dataset.update_cycle())) return now;
  const auto found = freshness_(dataset.name());
  if (!found || !found->has_data_as_of()) return std::nullopt;
  *now.mutable_data_as_of() = found->data_as_of();
  now.set_overdue(IsOverdue(
      dataset.update_cycle(),
      google::protobuf::util::TimeUtil::TimestampToMicroseconds(now.data_as_of()), clock_.Now()));
  return now;
}

absl::Status FreshnessRecord::Look(const Datasets& datasets) {
  if (!loaded_) SLUICE_RETURN_IF_ERROR(Load());
  ++look_;
  // Once round, from behind where the look before came to: none keeps the others waiting.
  auto at = datasets.upper_bound(newest_);
  for (size_t looked = 0; looked < datasets.size(); ++looked, ++at) {
    if (at == datasets.end()) at = datasets.begin();
    const v1::Dataset& definition = at->second->definition;
    if (definition.state() == v1::DATASET_STATE_RETIRED) continue;
    const auto now = NowOf(definition);
    if (!now) continue;
    bool differs = false;
    if (!Begin(at->first, now->overdue(), differs)) break;
    if (differs) Submit(at->first, *now);
  }
  return absl::OkStatus();
}

bool FreshnessRecord::Begin(const std::string& dataset, bool overdue, bool& differs) {
  MutexLock lock(mutex_);
  if (refused_ == look_) return false;
  if (overdue_.contains(dataset) == overdue || recording_.contains(dataset)) return true;
  if (recording_.size() >= kMostUnderWay) return false;
  recording_.insert(dataset);
  differs = true;
  return true;
}

void FreshnessRecord::Submit(const std::string& dataset, const v1::Freshness& after) {
  newest_ = dataset;
  changes_.Submit(
      audit::ChangeActor(), audit::Changes::Effect::kAfterRecord,
      [name = dataset,
       after](store::Transaction& transaction) -> absl::StatusOr<audit::ChangeOutcome> {
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
      [this, look = look_, name = dataset, overdue = after.overdue()](const absl::Status& status) {
        Finish(look, name, overdue, status);
      });
}

void FreshnessRecord::Finish(int64_t look, const std::string& dataset, bool overdue,
                             const absl::Status& status) {
  {
    MutexLock lock(mutex_);
    recording_.erase(dataset);
    if (status.ok() && overdue) overdue_.insert(dataset);
    if (status.ok() && !overdue) overdue_.erase(dataset);
    if (status.ok() || refused_ >= look) return;
    refused_ = look;
  }
  trouble_(status);
}

}  // namespace sluice::catalogue
