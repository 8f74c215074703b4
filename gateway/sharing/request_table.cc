#include "gateway/sharing/request_table.h"

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "gateway/sharing/request_life.h"
#include "gateway/sharing/sharing_parts.h"
#include "gateway/store/definition.h"

namespace sluice::sharing {
namespace {

using store::SqlValue;

// The SQL of MaySeeRequest.
constexpr char kMaySee[] =
    "(CASE submitted WHEN 0 THEN consumer_agency = ?6 OR ?8 = 1"
    " ELSE ?4 = 1 OR owner_agency = ?5 OR consumer_agency = ?6 END)";

std::string StateList(const std::vector<v1::AccessRequestState>& states) {
  return absl::StrJoin(states, ", ", [](std::string* out, v1::AccessRequestState state) {
    absl::StrAppend(out, static_cast<int>(state));
  });
}

}  // namespace

absl::StatusOr<std::optional<v1::AccessRequest>> FindAccessRequest(store::Reader& reader,
                                                                   std::string_view id) {
  return store::LoadOne<v1::AccessRequest>(
      reader, "SELECT definition FROM access_requests WHERE id = ?1", {store::SqlText(id)});
}

bool MaySeeRequest(const identity::Principal& principal, const v1::AccessRequest& request) {
  if (!request.has_submitted())
    return principal.agency == request.consumer_agency() || principal.Has(v1::ROLE_AUDITOR);
  return Sees(SightOf(principal), OwnerOf(request), request.consumer_agency());
}

absl::StatusOr<std::vector<v1::AccessRequest>> LoadAccessRequests(store::Reader& reader,
                                                                  const identity::Principal& who,
                                                                  const RequestFilter& filter,
                                                                  std::string_view after,
                                                                  int64_t most) {
  const Sight sight = SightOf(who);
  return store::LoadAll<v1::AccessRequest>(
      reader,
      absl::StrCat("SELECT definition FROM access_requests WHERE (?1 = '' OR dataset = ?1)"
                   " AND (?2 = '' OR consumer_agency = ?2) AND (?3 = 0 OR state = ?3)"
                   " AND (?7 = '' OR sequence <"
                   " (SELECT sequence FROM access_requests WHERE id = ?7)) AND ",
                   kMaySee, " ORDER BY sequence DESC LIMIT ?9"),
      {store::SqlText(filter.dataset), store::SqlText(filter.consumer_agency),
       SqlValue(static_cast<int64_t>(filter.state)), SqlValue(int64_t{sight.all ? 1 : 0}),
       store::SqlText(sight.as_owner), store::SqlText(sight.as_consumer), store::SqlText(after),
       SqlValue(int64_t{who.Has(v1::ROLE_AUDITOR) ? 1 : 0}), SqlValue(most)});
}

absl::StatusOr<std::vector<v1::AccessRequest>> LoadRequestsIn(
    store::Reader& reader, const identity::Principal& who,
    const std::vector<v1::AccessRequestState>& states, int64_t most) {
  const Sight sight = SightOf(who);
  return store::LoadAll<v1::AccessRequest>(
      reader,
      absl::StrCat("SELECT definition FROM access_requests WHERE state IN (", StateList(states),
                   ") AND ", kMaySee, " ORDER BY sequence LIMIT ?9"),
      {SqlValue(), SqlValue(), SqlValue(), SqlValue(int64_t{sight.all ? 1 : 0}),
       store::SqlText(sight.as_owner), store::SqlText(sight.as_consumer), SqlValue(),
       SqlValue(int64_t{who.Has(v1::ROLE_AUDITOR) ? 1 : 0}), SqlValue(most)});
}

absl::StatusOr<int64_t> CountUndecided(store::Reader& reader, std::string_view consumer_agency,
                                       std::string_view dataset) {
  std::vector<v1::AccessRequestState> undecided;
  for (int state = 1; state < v1::AccessRequestState_ARRAYSIZE; ++state)
    if (IsUndecided(static_cast<v1::AccessRequestState>(state)))
      undecided.push_back(static_cast<v1::AccessRequestState>(state));
  SLUICE_ASSIGN_OR_RETURN(
      const auto rows,
      reader.Query(absl::StrCat("SELECT count(*) FROM access_requests WHERE consumer_agency = ?1"
                                " AND dataset = ?2 AND state IN (",
                                StateList(undecided), ")"),
                   {store::SqlText(consumer_agency), store::SqlText(dataset)}));
  return rows.at(0).Int(0);
}

absl::Status AddAccessRequest(store::Transaction& transaction, const v1::AccessRequest& request) {
  return transaction.Execute(
      "INSERT INTO access_requests"
      " (id, dataset, owner_agency, consumer_agency, state, definition, submitted)"
      " VALUES (?1, ?2, ?3, ?4, ?5, CAST(?6 AS BLOB), ?7)",
      {store::SqlText(request.id()), store::SqlText(request.dataset()),
       store::SqlText(OwnerOf(request)), store::SqlText(request.consumer_agency()),
       SqlValue(static_cast<int64_t>(request.state())),
       store::SqlText(store::SerializeStably(request)),
       SqlValue(int64_t{request.has_submitted() ? 1 : 0})});
}

absl::Status PutAccessRequest(store::Transaction& transaction, const v1::AccessRequest& request) {
  return transaction.Execute(
      "UPDATE access_requests SET state = ?2, definition = CAST(?3 AS BLOB), submitted = ?4"
      " WHERE id = ?1",
      {store::SqlText(request.id()), SqlValue(static_cast<int64_t>(request.state())),
       store::SqlText(store::SerializeStably(request)),
       SqlValue(int64_t{request.has_submitted() ? 1 : 0})});
}

std::string OwnerOf(const v1::AccessRequest& request) {
  return request.dataset().substr(0, request.dataset().find('/'));
}

}  // namespace sluice::sharing
