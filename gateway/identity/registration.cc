#include "gateway/identity/registration.h"

#include <utility>

#include "certs/spiffe.h"
#include "gateway/base/error.h"
#include "gateway/store/definition.h"

namespace sluice::identity {
namespace {

using store::SqlValue;

}  // namespace

store::Migrations RegistrationMigrations() {
  return {"identity", {R"sql(
            CREATE TABLE agencies (id TEXT PRIMARY KEY, definition BLOB NOT NULL) STRICT;
            CREATE TABLE systems (
              name TEXT PRIMARY KEY,
              agency TEXT NOT NULL REFERENCES agencies (id),
              definition BLOB NOT NULL
            ) STRICT;
            CREATE TABLE persons (
              name TEXT PRIMARY KEY,
              agency TEXT NOT NULL REFERENCES agencies (id),
              definition BLOB NOT NULL
            ) STRICT;
            CREATE TABLE purposes (code TEXT PRIMARY KEY, definition BLOB NOT NULL) STRICT;
            CREATE TABLE sources (
              id TEXT PRIMARY KEY,
              owner_agency TEXT NOT NULL REFERENCES agencies (id),
              definition BLOB NOT NULL
            ) STRICT;
            CREATE TABLE revocation_lists (
              authority_key TEXT PRIMARY KEY,
              pem TEXT NOT NULL,
              number INTEGER NOT NULL,
              revoked INTEGER NOT NULL
            ) STRICT;
            CREATE TABLE seeded (only INTEGER PRIMARY KEY CHECK (only = 1)) STRICT;
          )sql"}};
}

absl::StatusOr<std::shared_ptr<const Directory>> LoadDirectory(store::Reader& reader) {
  auto directory = std::make_shared<Directory>();
  SLUICE_ASSIGN_OR_RETURN(auto agencies,
                          store::LoadAll<v1::Agency>(reader, "SELECT definition FROM agencies"));
  for (auto& agency : agencies) directory->agencies[agency.id()] = std::move(agency);
  SLUICE_ASSIGN_OR_RETURN(
      auto systems, store::LoadAll<v1::ClientSystem>(reader, "SELECT definition FROM systems"));
  for (auto& system : systems) directory->systems[system.name()] = std::move(system);
  SLUICE_ASSIGN_OR_RETURN(auto persons, LoadPersons(reader));
  for (auto& person : persons) directory->persons[person.name()] = std::move(person);
  SLUICE_ASSIGN_OR_RETURN(auto purposes, LoadPurposes(reader));
  for (auto& purpose : purposes) directory->purposes[purpose.code()] = std::move(purpose);
  SLUICE_ASSIGN_OR_RETURN(auto sources,
                          store::LoadAll<v1::Source>(reader, "SELECT definition FROM sources"));
  for (auto& source : sources) directory->sources[source.id()] = std::move(source);
  return std::shared_ptr<const Directory>(std::move(directory));
}

absl::StatusOr<std::optional<v1::Agency>> FindAgency(store::Reader& reader, std::string_view id) {
  return store::LoadOne<v1::Agency>(reader, "SELECT definition FROM agencies WHERE id = ?1",
                                    {store::SqlText(id)});
}

absl::StatusOr<std::optional<v1::ClientSystem>> FindSystem(store::Reader& reader,
                                                           std::string_view name) {
  return store::LoadOne<v1::ClientSystem>(reader, "SELECT definition FROM systems WHERE name = ?1",
                                          {store::SqlText(name)});
}

absl::StatusOr<std::optional<v1::Person>> FindPerson(store::Reader& reader, std::string_view name) {
  return store::LoadOne<v1::Person>(reader, "SELECT definition FROM persons WHERE name = ?1",
                                    {store::SqlText(name)});
}

absl::StatusOr<std::optional<v1::Source>> FindSource(store::Reader& reader, std::string_view id) {
  return store::LoadOne<v1::Source>(reader, "SELECT definition FROM sources WHERE id = ?1",
                                    {store::SqlText(id)});
}

absl::StatusOr<std::vector<v1::Person>> LoadPersons(store::Reader& reader) {
  return store::LoadAll<v1::Person>(reader, "SELECT definition FROM persons ORDER BY name");
}

absl::StatusOr<std::vector<v1::Purpose>> LoadPurposes(store::Reader& reader) {
  return store::LoadAll<v1::Purpose>(reader, "SELECT definition FROM purposes ORDER BY code");
}

absl::Status PutAgency(store::Transaction& transaction, v1::Agency& agency) {
  agency.set_etag(store::EtagOf(agency));
  return transaction.Execute(
      "INSERT INTO agencies VALUES (?1, CAST(?2 AS BLOB))"
      " ON CONFLICT (id) DO UPDATE SET definition = excluded.definition",
      {store::SqlText(agency.id()), store::SqlText(agency.SerializeAsString())});
}

absl::Status PutSystem(store::Transaction& transaction, v1::ClientSystem& system) {
  system.set_etag(store::EtagOf(system));
  return transaction.Execute(
      "INSERT INTO systems VALUES (?1, ?2, CAST(?3 AS BLOB))"
      " ON CONFLICT (name) DO UPDATE SET definition = excluded.definition",
      {store::SqlText(system.name()),
       store::SqlText(SplitName(system.name()).value_or(NameParts()).agency),
       store::SqlText(system.SerializeAsString())});
}

absl::Status PutPerson(store::Transaction& transaction, v1::Person& person) {
  person.set_etag(store::EtagOf(person));
  return transaction.Execute(
      "INSERT INTO persons VALUES (?1, ?2, CAST(?3 AS BLOB))"
      " ON CONFLICT (name) DO UPDATE SET definition = excluded.definition",
      {store::SqlText(person.name()),
       store::SqlText(SplitName(person.name()).value_or(NameParts()).agency),
       store::SqlText(person.SerializeAsString())});
}

absl::Status PutSource(store::Transaction& transaction, v1::Source& source) {
  source.set_etag(store::EtagOf(source));
  return transaction.Execute(
      "INSERT INTO sources VALUES (?1, ?2, CAST(?3 AS BLOB))"
      " ON CONFLICT (id) DO UPDATE SET definition = excluded.definition",
      {store::SqlText(source.id()), store::SqlText(source.owner_agency()),
       store::SqlText(source.SerializeAsString())});
}

absl::Status PutPurpose(store::Transaction& transaction, const v1::Purpose& purpose) {
  return transaction.Execute(
      "INSERT INTO purposes VALUES (?1, CAST(?2 AS BLOB))"
      " ON CONFLICT (code) DO UPDATE SET definition = excluded.definition",
      {store::SqlText(purpose.code()), store::SqlText(purpose.SerializeAsString())});
}

absl::StatusOr<std::vector<PublishedList>> LoadPublishedLists(store::Reader& reader) {
  SLUICE_ASSIGN_OR_RETURN(const auto rows,
                          reader.Query("SELECT authority_key, pem, number, revoked"
                                       " FROM revocation_lists ORDER BY authority_key"));
  std::vector<PublishedList> lists;
  for (const auto& row : rows) lists.push_back({row.Text(0), row.Text(1), row.Int(2), row.Int(3)});
  return lists;
}

absl::Status PutPublishedList(store::Transaction& transaction, const PublishedList& list) {
  return transaction.Execute(
      "INSERT INTO revocation_lists VALUES (?1, ?2, ?3, ?4)"
      " ON CONFLICT (authority_key) DO UPDATE SET pem = excluded.pem, number = excluded.number,"
      " revoked = excluded.revoked",
      {store::SqlText(list.authority_key), store::SqlText(list.pem), SqlValue(list.number),
       SqlValue(list.revoked)});
}

std::optional<NameParts> SplitName(std::string_view qualified) {
  const size_t slash = qualified.find('/');
  if (slash == std::string_view::npos) return std::nullopt;
  NameParts parts{std::string(qualified.substr(0, slash)),
                  std::string(qualified.substr(slash + 1))};
  if (!certs::IsId(parts.agency) || !certs::IsId(parts.name)) return std::nullopt;
  return parts;
}

}  // namespace sluice::identity
