#include "gateway/policy/choose_grant.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "gateway/base/error.h"

namespace sluice::policy {
namespace {

Micros ToMicros(const google::protobuf::Timestamp& time) {
  return time.seconds() * kSecond + time.nanos() / 1000;
}

template <class Values, class Value>
bool Contains(const Values& values, const Value& value) {
  return std::find(values.begin(), values.end(), value) != values.end();
}

// How far a grant carries the call: the later the check that it fails, the nearer it is.
enum Step { kSystem, kMode, kPurpose, kState, kBegin, kEnd, kAllows };

Step HowFar(const v1::Grant& grant, const identity::Principal& principal,
            const v1::QueryRequest& request, Micros now) {
  if (!grant.systems().empty() && !Contains(grant.systems(), principal.name)) return kSystem;
  if (!Contains(grant.modes(), static_cast<int>(v1::MODE_QUERY))) return kMode;
  if (!Contains(grant.purposes(), request.purpose())) return kPurpose;
  if (grant.state() != v1::GRANT_STATE_IN_FORCE) return kState;
  if (grant.has_not_before() && now < ToMicros(grant.not_before())) return kBegin;
  if (now >= ToMicros(grant.expires())) return kEnd;
  return kAllows;
}

absl::Status Lacks(Step step, const v1::Grant& grant, const identity::Principal& principal,
                   const v1::QueryRequest& request, const std::vector<GrantPtr>& held) {
  const std::string id = absl::StrCat("grant ", grant.id());
  const std::string who = principal.QualifiedName();
  const auto error = [&](v1::Reason reason, const std::string& sentence) {
    return Error(reason, sentence, {{"dataset", grant.dataset()}, {"grant", grant.id()}});
  };
  switch (step) {
    case kSystem:
      return error(v1::REASON_SYSTEM_NOT_GRANTED,
                   absl::StrCat(id, " is for other systems than ", who, "."));
    case kMode:
      return error(v1::REASON_MODE_NOT_GRANTED, absl::StrCat(id, " does not allow Query."));
    case kPurpose: {
      absl::Status status = error(
          v1::REASON_PURPOSE_NOT_GRANTED,
          absl::StrCat(who, " holds no grant on ", grant.dataset(), " for \"", request.purpose(),
                       "\"."));
      std::vector<std::string> lines;
      for (const GrantPtr& one : held)
        lines.push_back(absl::StrCat(one->definition.id(), " ",
                                     absl::StrJoin(one->definition.purposes(), ",")));
      AddKey(status, "held", absl::StrJoin(lines, "; "));
      return status;
    }
    case kState:
      return error(v1::REASON_GRANT_REVOKED, absl::StrCat(id, " was revoked."));
    case kBegin:
      return error(v1::REASON_GRANT_NOT_YET_VALID,
                   absl::StrCat(id, " begins at ", FormatUtc(ToMicros(grant.not_before())), "."));
    default:
      return error(v1::REASON_GRANT_EXPIRED,
                   absl::StrCat(id, " ended at ", FormatUtc(ToMicros(grant.expires())), "."));
  }
}

}  // namespace

absl::StatusOr<GrantPtr> ChooseGrant(const identity::Principal& principal,
                                     const v1::QueryRequest& request, const Snapshot& snapshot,
                                     Micros now, GrantPtr* nearest) {
  const auto found = snapshot.by_consumer.find(
      absl::StrCat(principal.agency, "\n", request.dataset()));
  if (found == snapshot.by_consumer.end() || found->second.empty()) {
    // A named grant of somebody else answers as one that does not exist.
    return Error(request.grant().empty() ? v1::REASON_NO_GRANT : v1::REASON_GRANT_UNKNOWN,
                 absl::StrCat(principal.agency, " holds no grant on ", request.dataset(), "."),
                 {{"dataset", request.dataset()}});
  }
  const std::vector<GrantPtr>& held = found->second;
  Step best = kSystem;
  GrantPtr chosen;
  bool ambiguous = false, known = request.grant().empty();
  for (const GrantPtr& grant : held) {
    if (!request.grant().empty() && grant->definition.id() != request.grant()) continue;
    known = true;
    const Step step = HowFar(grant->definition, principal, request, now);
    ambiguous = step == kAllows && chosen != nullptr && best == kAllows;
    if (ambiguous) break;
    if (chosen == nullptr || step > best) best = step, chosen = grant;
  }
  *nearest = chosen;
  if (!known)
    return Error(v1::REASON_GRANT_UNKNOWN,
                 absl::StrCat(principal.agency, " holds no such grant on ", request.dataset(), "."),
                 {{"dataset", request.dataset()}});
  if (ambiguous)
    return Error(v1::REASON_GRANT_AMBIGUOUS, "several grants allow this call; name one.",
                 {{"dataset", request.dataset()}});
  if (best != kAllows) return Lacks(best, chosen->definition, principal, request, held);
  return chosen;
}

}  // namespace sluice::policy
