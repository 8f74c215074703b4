#include "gateway/catalogue/dataset_table.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "gateway/base/error.h"
#include "gateway/store/definition.h"

namespace sluice::catalogue {
namespace {

using store::SqlValue;

}  // namespace

store::Migrations CatalogueMigrations() {
  return {"catalogue",
          {R"sql(
            CREATE TABLE datasets (
              name TEXT NOT NULL,
              revision INTEGER NOT NULL,
              owner_agency TEXT NOT NULL REFERENCES agencies (id),
              source TEXT REFERENCES sources (id),
              newest INTEGER NOT NULL CHECK (newest IN (0, 1)),
              definition BLOB NOT NULL,
              PRIMARY KEY (name, revision)
            ) STRICT;
            CREATE UNIQUE INDEX datasets_newest ON datasets (name) WHERE newest = 1;
          )sql",
           R"sql(
            CREATE TABLE freshness (
              dataset TEXT NOT NULL PRIMARY KEY,
              definition BLOB NOT NULL
            ) STRICT;
          )sql"}};
}

absl::StatusOr<Datasets> LoadDatasets(store::Reader& reader) {
  SLUICE_ASSIGN_OR_RETURN(
      const auto definitions,
      store::LoadAll<v1::Dataset>(reader, "SELECT definition FROM datasets WHERE newest = 1"));
  Datasets datasets;
  for (const auto& definition : definitions) {
    auto dataset = Compile(definition);
    if (!dataset.ok())
      return Annotate(dataset.status(), absl::StrCat("dataset ", definition.name()));
    datasets[definition.name()] = *std::move(dataset);
  }
  return datasets;
}

absl::StatusOr<std::optional<v1::Dataset>> FindDataset(store::Reader& reader, std::string_view name,
                                                       int64_t revision) {
  return store::LoadOne<v1::Dataset>(reader,
                                     "SELECT definition FROM datasets WHERE name = ?1"
                                     " AND CASE ?2 WHEN 0 THEN newest = 1 ELSE revision = ?2 END",
                                     {store::SqlText(name), SqlValue(revision)});
}

absl::StatusOr<std::vector<v1::Dataset>> LoadRevisions(store::Reader& reader, std::string_view name,
                                                       int64_t revision, int64_t most) {
  return store::LoadAll<v1::Dataset>(
      reader,
      "SELECT definition FROM datasets WHERE name = ?1 AND revision BETWEEN ?2 - ?3 + 1 AND ?2"
      " ORDER BY revision",
      {store::SqlText(name), SqlValue(revision), SqlValue(most)});
}

absl::StatusOr<std::vector<v1::Dataset>> ListDatasets(store::Reader& reader,
                                                      std::string_view agency,
                                                      std::string_view after, int64_t most) {
  return store::LoadAll<v1::Dataset>(
      reader,
      "SELECT definition FROM datasets WHERE newest = 1 AND name > ?1"
      " AND (?2 = '' OR owner_agency = ?2) ORDER BY name LIMIT ?3",
      {store::SqlText(after), store::SqlText(agency), SqlValue(most)});
}

absl::Status AddRevision(store::Transaction& transaction, const v1::Dataset& dataset) {
  SLUICE_RETURN_IF_ERROR(
      transaction.Execute("UPDATE datasets SET newest = 0 WHERE newest = 1 AND name = ?1",
                          {store::SqlText(dataset.name())}));
  const std::string agency = dataset.name().substr(0, dataset.name().find('/'));
  return transaction.Execute(
      "INSERT INTO datasets VALUES (?1, ?2, ?3, nullif(?4, ''), 1, CAST(?5 AS BLOB))",
      {store::SqlText(dataset.name()), SqlValue(dataset.revision()), store::SqlText(agency),
       store::SqlText(dataset.source()), store::SqlText(store::SerializeStably(dataset))});
}

}  // namespace sluice::catalogue
