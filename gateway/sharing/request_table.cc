#include "gateway/sharing/request_table.h"

#include "gateway/store/definition.h"

namespace sluice::sharing {
namespace {

using store::SqlValue;

}  // namespace

absl::StatusOr<std::optional<v1::AccessRequest>> FindAccessRequest(store::Reader& reader,
                                                                   std::string_view id) {
  return store::LoadOne<v1::AccessRequest>(
      reader, "SELECT definition FROM access_requests WHERE id = ?1", {store::SqlText(id)});
}

absl::StatusOr<std::vector<v1::AccessRequest>> LoadAccessRequests(store::Reader& reader,
                                                                  const Sight& sight,
                                                                  const RequestFilter& filter,
                                                                  std::string_view after,
                                                                  int64_t most) {
  return store::LoadAll<v1::AccessRequest>(
      reader,
      "SELECT definition FROM access_requests WHERE (?1 = '' OR dataset = ?1)"
      " AND (?2 = '' OR consumer_agency = ?2) AND (?3 = 0 OR state = ?3)"
      " AND (?4 = 1 OR owner_agency = ?5 OR consumer_agency = ?6)"
      " AND (?7 = '' OR sequence < (SELECT sequence FROM access_requests WHERE id = ?7))"
      " ORDER BY sequence DESC LIMIT ?8",
      {store::SqlText(filter.dataset), store::SqlText(filter.consumer_agency),
       SqlValue(static_cast<int64_t>(filter.state)), SqlValue(int64_t{sight.all ? 1 : 0}),
       store::SqlText(sight.as_owner), store::SqlText(sight.as_consumer), store::SqlText(after),
       SqlValue(most)});
}

absl::StatusOr<int64_t> CountUndecided(store::Reader& reader, std::string_view consumer_agency,
                                       std::string_view dataset) {
  SLUICE_ASSIGN_OR_RETURN(
      const auto rows,
      reader.Query("SELECT count(*) FROM access_requests WHERE consumer_agency = ?1"
                   " AND dataset = ?2 AND state = ?3",
                   {store::SqlText(consumer_agency), store::SqlText(dataset),
                    SqlValue(int64_t{v1::ACCESS_REQUEST_STATE_SUBMITTED})}));
  return rows.at(0).Int(0);
}

absl::Status AddAccessRequest(store::Transaction& transaction, const v1::AccessRequest& request) {
  return transaction.Execute(
      "INSERT INTO access_requests (id, dataset, owner_agency, consumer_agency, state, definition)"
      " VALUES (?1, ?2, ?3, ?4, ?5, CAST(?6 AS BLOB))",
      {store::SqlText(request.id()), store::SqlText(request.dataset()),
       store::SqlText(OwnerOf(request)), store::SqlText(request.consumer_agency()),
       SqlValue(static_cast<int64_t>(request.state())),
       store::SqlText(store::SerializeStably(request))});
}

absl::Status PutAccessRequest(store::Transaction& transaction, const v1::AccessRequest& request) {
  return transaction.Execute(
      "UPDATE access_requests SET state = ?2, definition = CAST(?3 AS BLOB) WHERE id = ?1",
      {store::SqlText(request.id()), SqlValue(static_cast<int64_t>(request.state())),
       store::SqlText(store::SerializeStably(request))});
}

std::string OwnerOf(const v1::AccessRequest& request) {
  return request.dataset().substr(0, request.dataset().find('/'));
}

}  // namespace sluice::sharing
