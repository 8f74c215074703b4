// The life of an access request: one table, which says from where each step leads to where, and who
// takes it. docs/procedure.md shows the same table; a test holds the two against each other.
//
// Three sides take part: the agency that asks, the dataset's agency, the authority. Whoever has
// taken a step for one of them in a request takes none for another in the same request, whatever
// roles he holds. Pure functions; any thread.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "sluice/v1/sharing.pb.h"

namespace sluice::sharing {

struct LifeRow {
  v1::AccessRequestState from;
  v1::AccessAction action;
  std::vector<v1::SharingOffice> offices;  // any of them
  // UNSPECIFIED: where it was before it was suspended or disputed.
  v1::AccessRequestState to;
  bool once = false;  // in a request's life
};
// UNSPECIFIED as `from` is before there is a request.
std::span<const LifeRow> LifeTable();
// Null where the table has no such row.
const LifeRow* FindLifeRow(v1::AccessRequestState from, v1::AccessAction action);

// Who wants to take a step: his path, and all that he may act as for that request.
struct Hands {
  std::string principal;
  std::vector<v1::SharingOffice> offices;
  // Holds the authority's role, and may not act as it here: it is about his own agency.
  bool own_authority = false;
};

// Which of the three sides an office is of: whoever took a step for one takes none for another.
int SideOf(v1::SharingOffice office);

struct LifeMove {
  v1::SharingOffice office;  // as which the step is taken
  v1::AccessRequestState to;
  v1::AccessRequestState behind;  // of the request behind the step; only where `to` is DISPUTED
};
// STEP_NOT_ALLOWED, STEP_TAKEN_BEFORE, OFFICE_REQUIRED (naming the offices), SAME_HANDS: the first
// that applies, in this order.
absl::StatusOr<LifeMove> DecideStep(const v1::AccessRequest& request, v1::AccessAction action,
                                    const Hands& hands);
// What DecideStep would allow now, in the order of the enum.
std::vector<v1::AccessAction> OpenActions(const v1::AccessRequest& request, const Hands& hands);

// The request goes where the move leads, and the step is written down. Sets neither etag nor what
// belongs to one action alone.
void AddStep(v1::AccessRequest& request, const LifeMove& move, v1::AccessStep step);

// For whom a request in that state waits; none where nobody has to act.
std::vector<v1::SharingOffice> WaitsFor(v1::AccessRequestState state);

// The owner has neither agreed nor refused, and it was not taken back.
bool IsUndecided(v1::AccessRequestState state);

// The table as docs/procedure.md shows it.
std::string LifeTableMarkdown();

}  // namespace sluice::sharing
