#include "gateway/sharing/matter_table.h"

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "gateway/sharing/sharing_parts.h"

namespace sluice::sharing {
namespace {

using store::SqlValue;

// ?1 kind, ?2 dataset, ?3 owner, ?4 consumer, ?5 the id behind which to go on.
std::string WhereOf(const MatterFilter& filter) {
  std::string where =
      "kind = ?1 AND (?2 = '' OR dataset = ?2) AND (?3 = '' OR owner_agency = ?3)"
      " AND (?4 = '' OR consumer_agency = ?4)";
  if (!filter.states.empty())
    absl::StrAppend(&where, " AND state IN (", absl::StrJoin(filter.states, ", "), ")");
  absl::StrAppend(&where, " AND (?5 = '' OR sequence ", filter.oldest_first ? ">" : "<",
                  " (SELECT sequence FROM matters WHERE id = ?5))");
  return where;
}

std::vector<SqlValue> ValuesOf(std::string_view kind, const MatterFilter& filter) {
  return {store::SqlText(kind), store::SqlText(filter.dataset), store::SqlText(filter.owner_agency),
          store::SqlText(filter.consumer_agency), store::SqlText(filter.after)};
}

}  // namespace

MatterPlace PlaceOf(const v1::Correction& correction) {
  return {correction.dataset(), correction.dataset().substr(0, correction.dataset().find('/')),
          correction.consumer_agency()};
}

MatterPlace PlaceOf(const v1::CatalogueUpdate& update) { return {"", update.agency(), ""}; }

bool MaySeeMatter(const identity::Principal& who, const MatterPlace& place) {
  return Sees(SightOf(who), place.owner_agency, place.consumer_agency);
}

absl::StatusOr<std::vector<store::SqlRow>> FindMatterRow(store::Reader& reader,
                                                         std::string_view kind,
                                                         std::string_view id) {
  return reader.Query("SELECT definition FROM matters WHERE kind = ?1 AND id = ?2",
                      {store::SqlText(kind), store::SqlText(id)});
}

absl::StatusOr<std::vector<store::SqlRow>> LoadMatterRows(store::Reader& reader,
                                                          const identity::Principal& who,
                                                          std::string_view kind,
                                                          const MatterFilter& filter,
                                                          int64_t most) {
  const Sight sight = SightOf(who);
  std::vector<SqlValue> values = ValuesOf(kind, filter);
  values.emplace_back(int64_t{sight.all ? 1 : 0});
  values.push_back(store::SqlText(sight.as_owner));
  values.push_back(store::SqlText(sight.as_consumer));
  values.emplace_back(most);
  return reader.Query(
      absl::StrCat("SELECT definition FROM matters WHERE ", WhereOf(filter),
                   " AND (?6 = 1 OR owner_agency = ?7 OR consumer_agency = ?8) ORDER BY sequence ",
                   filter.oldest_first ? "" : "DESC ", "LIMIT ?9"),
      values);
}

absl::StatusOr<int64_t> CountMatters(store::Reader& reader, std::string_view kind,
                                     const MatterFilter& filter) {
  SLUICE_ASSIGN_OR_RETURN(
      const auto rows,
      reader.Query(absl::StrCat("SELECT count(*) FROM matters WHERE ", WhereOf(filter)),
                   ValuesOf(kind, filter)));
  return rows.at(0).Int(0);
}

absl::Status AddMatterRow(store::Transaction& transaction, std::string_view kind,
                          const std::string& id, const MatterPlace& place, int state,
                          const std::string& definition) {
  return transaction.Execute(
      "INSERT INTO matters"
      " (kind, id, dataset, owner_agency, consumer_agency, state, definition)"
      " VALUES (?1, ?2, nullif(?3, ''), ?4, nullif(?5, ''), ?6, CAST(?7 AS BLOB))",
      {store::SqlText(kind), store::SqlText(id), store::SqlText(place.dataset),
       store::SqlText(place.owner_agency), store::SqlText(place.consumer_agency),
       SqlValue(int64_t{state}), store::SqlText(definition)});
}

absl::Status PutMatterRow(store::Transaction& transaction, const std::string& id, int state,
                          const std::string& definition) {
  return transaction.Execute(
      "UPDATE matters SET state = ?2, definition = CAST(?3 AS BLOB) WHERE id = ?1",
      {store::SqlText(id), SqlValue(int64_t{state}), store::SqlText(definition)});
}

}  // namespace sluice::sharing
