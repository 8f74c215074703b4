#include "cli/grant_overlap.h"

#include <algorithm>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "cli/display.h"
#include "cli/methods.h"
#include "cli/sharing_words.h"

namespace sluice::cli {
namespace {

bool Has(const Names& names, const std::string& name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

// No systems named are all of the agency's.
bool ShareASystem(const v1::Grant& a, const v1::Grant& b) {
  return a.systems().empty() || b.systems().empty() ||
         std::any_of(a.systems().begin(), a.systems().end(),
                     [&](const std::string& system) { return Has(b.systems(), system); });
}

bool ShareAMode(const v1::Grant& a, const v1::Grant& b) {
  return std::any_of(a.modes().begin(), a.modes().end(), [&](int mode) {
    return std::find(b.modes().begin(), b.modes().end(), mode) != b.modes().end();
  });
}

std::vector<std::string> SharedPurposes(const v1::Grant& a, const v1::Grant& b) {
  std::vector<std::string> shared;
  for (const std::string& purpose : a.purposes())
    if (Has(b.purposes(), purpose)) shared.push_back(purpose);
  return shared;
}

}  // namespace

std::string OverlapNotes(Session& session, const v1::Grant& grant) {
  v1::ListGrantsRequest request;
  request.set_dataset(grant.dataset());
  request.set_consumer_agency(grant.consumer_agency());
  request.set_page_size(1000);
  const Micros now = session.environment.clock.Now();
  std::string notes;
  do {
    const auto response = Ask(session, kListGrants, request);
    if (!response.ok()) return notes;
    for (const v1::Grant& other : response->grants()) {
      if (other.id() == grant.id() || GrantState(other, now) != "in force") continue;
      const std::vector<std::string> purposes = SharedPurposes(grant, other);
      if (purposes.empty() || !ShareASystem(grant, other) || !ShareAMode(grant, other)) continue;
      absl::StrAppend(&notes, "note      grant ", Harmless(other.id()), " allows ",
                      Harmless(absl::StrJoin(purposes, ", ")),
                      " to the same systems: their calls have to name one (--grant ID), or revoke ",
                      "one\n");
    }
    request.set_page_token(response->next_page_token());
  } while (!request.page_token().empty());
  return notes;
}

}  // namespace sluice::cli
