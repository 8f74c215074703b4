#include "gateway/policy/pick_grant.h"

#include <algorithm>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gateway/base/error.h"

namespace sluice::policy {
namespace {

constexpr int kMostHeld = 5;

template <class List, class Value>
bool Contains(const List& list, const Value& value) {
  return std::find(list.begin(), list.end(), value) != list.end();
}

// How far a call gets with a grant, in the order of the checks; the furthest names the reason.
enum class Reach {
  kNoMode,
  kNoSystem,
  kNoPurpose,
  kExpired,
  kNotYet,
  kRevoked,
  kSuspended,
  kAllowed
};

bool SystemGranted(const Grant& grant, const identity::Principal& principal) {
  const auto& systems = grant.definition.systems();
  return systems.empty() || Contains(systems, principal.name);
}

Reach ReachOf(const Grant& grant, const identity::Principal& principal, const std::string& purpose,
              v1::Mode mode, Micros now) {
  if (!Contains(grant.definition.modes(), mode)) return Reach::kNoMode;
  if (!SystemGranted(grant, principal)) return Reach::kNoSystem;
  if (!Contains(grant.definition.purposes(), purpose)) return Reach::kNoPurpose;
  if (now >= grant.ends) return Reach::kExpired;
  if (now < grant.begins) return Reach::kNotYet;
  if (grant.definition.state() == v1::GRANT_STATE_SUSPENDED) return Reach::kSuspended;
  // Whatever is not plainly in force is not.
  if (grant.definition.state() != v1::GRANT_STATE_IN_FORCE) return Reach::kRevoked;
  return Reach::kAllowed;
}

// The last day within, in the days that the grant counts by.
std::string LastDay(const Grant& grant) {
  const Micros moment = grant.ends - 1 + grant.definition.quota().day_offset_minutes() * kMinute;
  return FormatUtc(moment).substr(0, 10);
}

// In force for this system, whatever it asks for.
bool Usable(const Grant& grant, const identity::Principal& principal, Micros now) {
  return SystemGranted(grant, principal) && now >= grant.begins && now < grant.ends &&
         grant.definition.state() == v1::GRANT_STATE_IN_FORCE;
}

// "7q4m2k  relief  until 2027-03-31", a line for each grant in force that this system may use.
std::string Held(const std::vector<GrantPtr>& grants, const identity::Principal& principal,
                 Micros now) {
  std::string held;
  int count = 0;
  for (const GrantPtr& grant : grants) {
    if (!Usable(*grant, principal, now) || ++count > kMostHeld) continue;
    absl::StrAppend(&held, held.empty() ? "" : "\n", grant->definition.id(), "  ");
    for (int i = 0; i < grant->definition.purposes_size(); ++i) {
      absl::StrAppend(&held, i == 0 ? "" : ", ", grant->definition.purposes(i));
    }
    absl::StrAppend(&held, "  until ", LastDay(*grant));
  }
  if (count > kMostHeld) absl::StrAppend(&held, "\nand ", count - kMostHeld, " more");
  return held;
}

// All that the agency was ever given on a dataset.
const std::vector<GrantPtr>& GivenOn(const Snapshot& snapshot, const identity::Principal& principal,
                                     const std::string& dataset) {
  static const auto* const kNone = new std::vector<GrantPtr>();
  const auto found = snapshot.by_consumer.find(absl::StrCat(principal.agency, "\n", dataset));
  return found == snapshot.by_consumer.end() ? *kNone : found->second;
}

const char* MethodOf(v1::Mode mode) {
  switch (mode) {
    case v1::MODE_READ:
      return "Read";
    case v1::MODE_MATCH:
      return "Match";
    case v1::MODE_COUNT:
      return "Count";
    default:
      return "Query";
  }
}

class Picker {
 public:
  Picker(const identity::Principal& principal, const v1::QueryRequest& request, v1::Mode mode,
         Micros now)
      : principal_(principal), request_(request), mode_(mode), now_(now) {}

  absl::Status Refuse(Reach reach, const Grant& grant, const std::vector<GrantPtr>& grants) const {
    const std::string& id = grant.definition.id();
    absl::Status status;
    switch (reach) {
      case Reach::kNoMode:
        status = Of(v1::REASON_MODE_NOT_GRANTED,
                    absl::StrCat("grant ", id, " allows no ", MethodOf(mode_), "."));
        break;
      case Reach::kNoSystem:
        status = Of(v1::REASON_SYSTEM_NOT_GRANTED,
                    absl::StrCat("the agency's grant on ", request_.dataset(),
                                 " does not name the system ", principal_.QualifiedName(), "."));
        break;
      case Reach::kNoPurpose:
        status = Of(v1::REASON_PURPOSE_NOT_GRANTED,
                    absl::StrCat(principal_.QualifiedName(), " holds no grant on ",
                                 request_.dataset(), " for \"", request_.purpose(), "\"."));
        break;
      case Reach::kExpired:
        status = Of(v1::REASON_GRANT_EXPIRED,
                    absl::StrCat("grant ", id, " ended at ", FormatUtc(grant.ends), "."));
        break;
      case Reach::kNotYet:
        status = Of(v1::REASON_GRANT_NOT_YET_VALID,
                    absl::StrCat("grant ", id, " begins at ", FormatUtc(grant.begins), "."));
        break;
      case Reach::kSuspended:
        status =
            Of(v1::REASON_GRANT_SUSPENDED, absl::StrCat("the owner has suspended grant ", id, "."));
        break;
      default:
        status =
            Of(v1::REASON_GRANT_REVOKED, absl::StrCat("the owner has revoked grant ", id, "."));
        break;
    }
    AddKey(status, "grant", id);
    if (const std::string held = Held(grants, principal_, now_); !held.empty()) {
      AddKey(status, "held", held);
    }
    return status;
  }

  absl::Status Of(v1::Reason reason, std::string_view sentence) const {
    return Error(reason, sentence,
                 {{"dataset", request_.dataset()}, {"purpose", request_.purpose()}});
  }

 private:
  const identity::Principal& principal_;
  const v1::QueryRequest& request_;
  const v1::Mode mode_;
  const Micros now_;
};

}  // namespace

absl::StatusOr<GrantPtr> PickGrant(const identity::Principal& principal,
                                   const v1::QueryRequest& request, v1::Mode mode,
                                   const Snapshot& snapshot, const catalogue::Dataset& dataset,
                                   Micros now, GrantPtr& nearest) {
  const Picker picker(principal, request, mode, now);
  // No grant can be given on one, but one may be older than the law that withholds it.
  if (dataset.definition.sharing() == v1::SHARING_ATTRIBUTE_WITHHELD) {
    const v1::LegalBasis& law = dataset.definition.withheld_by();
    absl::Status status =
        picker.Of(v1::REASON_NO_GRANT,
                  absl::StrCat(request.dataset(), " is withheld by law: nobody holds a grant."));
    AddKey(status, "withheld_by", absl::StrCat(law.law(), " ", law.article()));
    return status;
  }
  const std::vector<GrantPtr>& grants = GivenOn(snapshot, principal, request.dataset());

  std::vector<const GrantPtr*> allowed;
  const GrantPtr* best = nullptr;
  Reach furthest = Reach::kNoMode;
  for (const GrantPtr& grant : grants) {
    if (!request.grant().empty() && grant->definition.id() != request.grant()) continue;
    // One that was compiled for another revision of the dataset would mistake its fields.
    if (grant->dataset->definition.revision() != dataset.definition.revision()) {
      return absl::InternalError("a grant stands on another revision of its dataset");
    }
    const Reach reach = ReachOf(*grant, principal, request.purpose(), mode, now);
    if (reach == Reach::kAllowed) allowed.push_back(&grant);
    if (best == nullptr || reach >= furthest) {
      best = &grant;
      furthest = reach;
    }
  }
  if (best == nullptr) {
    if (!request.grant().empty()) {
      return picker.Of(v1::REASON_GRANT_UNKNOWN,
                       "the agency holds no grant of this id on this dataset.");
    }
    return picker.Of(v1::REASON_NO_GRANT,
                     absl::StrCat("the agency holds no grant on ", request.dataset(), "."));
  }
  nearest = *best;
  if (allowed.size() == 1) return *allowed[0];
  if (allowed.empty()) return picker.Refuse(furthest, **best, grants);
  absl::Status status =
      picker.Of(v1::REASON_GRANT_AMBIGUOUS,
                absl::StrCat(allowed.size(), " grants allow this call; name the one to use."));
  AddKey(status, "held", Held(grants, principal, now));
  return status;
}

std::vector<GrantPtr> UsableGrants(const identity::Principal& principal, v1::Mode mode,
                                   const Snapshot& snapshot, const catalogue::Dataset& dataset,
                                   Micros now) {
  std::vector<GrantPtr> usable;
  if (principal.kind != identity::PrincipalKind::kSystem ||
      dataset.definition.state() == v1::DATASET_STATE_SUSPENDED ||
      dataset.definition.state() == v1::DATASET_STATE_RETIRED ||
      dataset.definition.sharing() == v1::SHARING_ATTRIBUTE_WITHHELD ||
      !catalogue::InAudience(dataset.definition, principal.agency)) {
    return usable;
  }
  for (const GrantPtr& grant : GivenOn(snapshot, principal, dataset.definition.name())) {
    if (Contains(grant->definition.modes(), mode) && Usable(*grant, principal, now))
      usable.push_back(grant);
  }
  return usable;
}

}  // namespace sluice::policy
