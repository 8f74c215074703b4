#include "gateway/sharing/sharing_parts.h"

#include <google/protobuf/util/time_util.h>

#include "absl/strings/str_cat.h"
#include "gateway/base/error.h"
#include "gateway/catalogue/dataset_table.h"
#include "gateway/identity/registration.h"
#include "gateway/identity/submit.h"
#include "gateway/records/utf8.h"
#include "gateway/sharing/ids.h"
#include "gateway/store/definition.h"

namespace sluice::sharing {
namespace {

constexpr int kMostPerPage = 1000;
constexpr int kUsualPage = 100;
constexpr size_t kMostReason = 1000;

}  // namespace

absl::Status NotOwner(const std::string& dataset) {
  return Error(v1::REASON_NOT_OWNER, "Only an owner of the dataset's agency may do this.",
               {{"dataset", dataset}});
}

absl::Status CheckReason(std::string_view reason, bool needed) {
  if (needed && records::IsBlank(reason)) return InvalidField("reason", "needed: it is recorded");
  if (reason.size() > kMostReason) return InvalidField("reason", "at most 1,000 bytes");
  return absl::OkStatus();
}

absl::StatusOr<int> PageSize(int asked) {
  if (asked == 0) return kUsualPage;
  if (asked > 0 && asked <= kMostPerPage) return asked;
  return InvalidField("page_size", "1 to 1,000");
}

Sight SightOf(const identity::Principal& principal) {
  Sight sight;
  sight.all = principal.Has(v1::ROLE_AUDITOR) || principal.Has(v1::ROLE_AUTHORITY);
  if (principal.kind == identity::PrincipalKind::kPerson) sight.as_owner = principal.agency;
  sight.as_consumer = principal.agency;
  return sight;
}

bool Sees(const Sight& sight, const std::string& owner_agency, const std::string& consumer_agency) {
  return sight.all || sight.as_owner == owner_agency || sight.as_consumer == consumer_agency;
}

absl::StatusOr<catalogue::DatasetPtr> OwnDataset(store::Reader& reader,
                                                 const identity::Caller& caller,
                                                 const std::string& name) {
  const auto parts = identity::SplitName(name);
  if (parts && parts->agency != caller.principal.agency) return NotOwner(name);
  SLUICE_ASSIGN_OR_RETURN(const auto definition, catalogue::FindDataset(reader, name));
  if (!definition) return catalogue::NoSuchDataset(name);
  return catalogue::Compile(*definition);
}

absl::StatusOr<std::string> NewGrantId(store::Reader& reader, RandomSource& random) {
  while (true) {
    std::string id = RandomId(random);
    SLUICE_ASSIGN_OR_RETURN(const auto known, FindGrant(reader, id));
    if (!known) return id;
  }
}

void Stamp(const identity::Caller& caller, const Clock& clock, v1::Grant& grant) {
  *grant.mutable_changed() = google::protobuf::util::TimeUtil::MicrosecondsToTimestamp(clock.Now());
  grant.set_changed_by(caller.principal.path);
  grant.set_etag(store::EtagOf(grant));
}

audit::ChangeOutcome GrantOutcome(const char* action, const v1::Grant* before,
                                  const v1::Grant& after) {
  audit::ChangeOutcome outcome = identity::OutcomeOf("grant", after.id(), action, before, &after);
  outcome.resource_revision = after.revision();
  outcome.dataset = after.dataset();
  outcome.owner_agency = OwnerOf(after);
  return outcome;
}

}  // namespace sluice::sharing
