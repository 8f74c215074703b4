#include "gateway/sharing/grant_table.h"

#include <google/protobuf/util/time_util.h>

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "gateway/base/error.h"
#include "gateway/store/definition.h"

namespace sluice::sharing {
namespace {

using store::SqlValue;

// A grant that no longer stands on its dataset. It keeps what a call is compared with, so that who
// calls hears that it is over, and since when.
policy::GrantPtr Fallen(const v1::Grant& definition, catalogue::DatasetPtr dataset) {
  auto grant = std::make_shared<policy::Grant>();
  grant->definition = definition;
  grant->definition.clear_fields();
  grant->definition.set_state(v1::GRANT_STATE_REVOKED);
  grant->ends = google::protobuf::util::TimeUtil::TimestampToMicroseconds(definition.expires());
  grant->by_field.assign(dataset->schema->size(), -1);
  grant->dataset = std::move(dataset);
  return grant;
}

}  // namespace

store::Migrations SharingMigrations() {
  return {"sharing",
          {R"sql(
            CREATE TABLE grants (
              id TEXT NOT NULL,
              revision INTEGER NOT NULL,
              dataset TEXT NOT NULL,
              owner_agency TEXT NOT NULL REFERENCES agencies (id),
              consumer_agency TEXT NOT NULL REFERENCES agencies (id),
              newest INTEGER NOT NULL CHECK (newest IN (0, 1)),
              definition BLOB NOT NULL,
              PRIMARY KEY (id, revision)
            ) STRICT;
            CREATE UNIQUE INDEX grants_newest ON grants (id) WHERE newest = 1;
            CREATE INDEX grants_dataset ON grants (dataset) WHERE newest = 1;
          )sql",
           R"sql(
            CREATE TABLE access_requests (
              sequence INTEGER PRIMARY KEY AUTOINCREMENT,
              id TEXT NOT NULL UNIQUE,
              dataset TEXT NOT NULL,
              owner_agency TEXT NOT NULL REFERENCES agencies (id),
              consumer_agency TEXT NOT NULL REFERENCES agencies (id),
              state INTEGER NOT NULL,
              definition BLOB NOT NULL
            ) STRICT;
            CREATE INDEX access_requests_undecided
              ON access_requests (consumer_agency, dataset, state);
          )sql",
           R"sql(
            ALTER TABLE access_requests ADD COLUMN submitted INTEGER NOT NULL DEFAULT 1;
          )sql",
           R"sql(
            CREATE TABLE matters (
              sequence INTEGER PRIMARY KEY AUTOINCREMENT,
              kind TEXT NOT NULL,
              id TEXT NOT NULL UNIQUE,
              dataset TEXT,
              owner_agency TEXT NOT NULL REFERENCES agencies (id),
              consumer_agency TEXT REFERENCES agencies (id),
              state INTEGER NOT NULL,
              definition BLOB NOT NULL
            ) STRICT;
            CREATE INDEX matters_state ON matters (kind, state);
          )sql"}};
}

absl::StatusOr<GrantsById> LoadGrants(store::Reader& reader, const catalogue::Datasets& datasets) {
  SLUICE_ASSIGN_OR_RETURN(
      const auto definitions,
      store::LoadAll<v1::Grant>(reader, "SELECT definition FROM grants WHERE newest = 1"));
  GrantsById grants;
  for (const auto& definition : definitions) {
    const auto dataset = datasets.find(definition.dataset());
    if (dataset == datasets.end())
      return absl::DataLossError(
          absl::StrCat("grant ", definition.id(), " stands on a dataset that is not stored"));
    auto grant = policy::Compile(definition, dataset->second);
    grants[definition.id()] = grant.ok() ? *std::move(grant) : Fallen(definition, dataset->second);
  }
  return grants;
}

bool InForce(const v1::Grant& grant, Micros now) {
  return (grant.state() == v1::GRANT_STATE_IN_FORCE ||
          grant.state() == v1::GRANT_STATE_SUSPENDED) &&
         now < google::protobuf::util::TimeUtil::TimestampToMicroseconds(grant.expires());
}

absl::StatusOr<std::vector<v1::Grant>> GrantsInForce(store::Reader& reader,
                                                     std::string_view dataset, Micros now) {
  SLUICE_ASSIGN_OR_RETURN(
      auto grants,
      store::LoadAll<v1::Grant>(
          reader, "SELECT definition FROM grants WHERE newest = 1 AND dataset = ?1 ORDER BY id",
          {store::SqlText(dataset)}));
  std::erase_if(grants, [now](const v1::Grant& grant) { return !InForce(grant, now); });
  return grants;
}

absl::StatusOr<std::vector<v1::Grant>> LoadRevisions(store::Reader& reader, std::string_view id,
                                                     int64_t revision, int64_t most) {
  return store::LoadAll<v1::Grant>(
      reader,
      "SELECT definition FROM grants WHERE id = ?1 AND revision BETWEEN ?2 - ?3 + 1 AND ?2"
      " ORDER BY revision",
      {store::SqlText(id), SqlValue(revision), SqlValue(most)});
}

absl::StatusOr<std::optional<v1::Grant>> FindGrant(store::Reader& reader, std::string_view id,
                                                   int64_t revision) {
  return store::LoadOne<v1::Grant>(reader,
                                   "SELECT definition FROM grants WHERE id = ?1"
                                   " AND CASE ?2 WHEN 0 THEN newest = 1 ELSE revision = ?2 END",
                                   {store::SqlText(id), SqlValue(revision)});
}

absl::StatusOr<std::vector<v1::Grant>> ListGrants(store::Reader& reader, const Sight& sight,
                                                  std::string_view dataset,
                                                  std::string_view consumer_agency,
                                                  std::string_view after, int64_t most) {
  return store::LoadAll<v1::Grant>(
      reader,
      "SELECT definition FROM grants WHERE newest = 1 AND id > ?1"
      " AND (?2 = '' OR dataset = ?2) AND (?3 = '' OR consumer_agency = ?3)"
      " AND (?4 = 1 OR owner_agency = ?5 OR consumer_agency = ?6) ORDER BY id LIMIT ?7",
      {store::SqlText(after), store::SqlText(dataset), store::SqlText(consumer_agency),
       SqlValue(int64_t{sight.all ? 1 : 0}), store::SqlText(sight.as_owner),
       store::SqlText(sight.as_consumer), SqlValue(most)});
}

absl::StatusOr<std::vector<v1::Grant>> AllGrantsOf(store::Reader& reader, std::string_view dataset,
                                                   std::string_view consumer_agency) {
  return store::LoadAll<v1::Grant>(
      reader, "SELECT definition FROM grants WHERE dataset = ?1 AND consumer_agency = ?2",
      {store::SqlText(dataset), store::SqlText(consumer_agency)});
}

absl::Status AddRevision(store::Transaction& transaction, const v1::Grant& grant) {
  SLUICE_RETURN_IF_ERROR(transaction.Execute(
      "UPDATE grants SET newest = 0 WHERE newest = 1 AND id = ?1", {store::SqlText(grant.id())}));
  return transaction.Execute(
      "INSERT INTO grants VALUES (?1, ?2, ?3, ?4, ?5, 1, CAST(?6 AS BLOB))",
      {store::SqlText(grant.id()), SqlValue(grant.revision()), store::SqlText(grant.dataset()),
       store::SqlText(OwnerOf(grant)), store::SqlText(grant.consumer_agency()),
       store::SqlText(store::SerializeStably(grant))});
}

std::string OwnerOf(const v1::Grant& grant) {
  return grant.dataset().substr(0, grant.dataset().find('/'));
}

}  // namespace sluice::sharing
