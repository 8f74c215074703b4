#include "gateway/sharing/touched.h"

#include "absl/strings/str_cat.h"
#include "gateway/base/error.h"
#include "gateway/catalogue/mask_spec.h"
#include "gateway/policy/grant.h"
#include "gateway/sharing/grant_table.h"
#include "gateway/sharing/request_steps.h"
#include "gateway/sharing/sharing_parts.h"

namespace sluice::sharing {
namespace {

// "L3"
std::string ClassName(v1::FieldClass field_class) {
  return absl::StrCat("L", static_cast<int>(field_class));
}

std::string LeastMask(const v1::DatasetField& field) {
  return field.has_least_mask() ? catalogue::FormatMask(field.least_mask()) : "none";
}

// What becomes of one field that is granted, where it stays.
void CompareField(const catalogue::Dataset& before, int from, const catalogue::Dataset& after,
                  int to, v1::TouchedGrant& touched) {
  const v1::DatasetField& old_field = before.field(from);
  const v1::DatasetField& new_field = after.field(to);
  const auto add = [&](const char* what, const std::string& was, const std::string& is) {
    if (was == is) return;
    touched.add_effects(
        absl::StrCat("fields.", old_field.name(), ".", what, ": ", was, " -> ", is));
  };
  const records::DataType& old_type = before.schema->field(from).type;
  const records::DataType& new_type = after.schema->field(to).type;
  add("type", records::ToString(old_type), records::ToString(new_type));
  add("class", ClassName(old_field.field_class()), ClassName(new_field.field_class()));
  add("subject", old_field.subject().empty() ? "none" : old_field.subject(),
      new_field.subject().empty() ? "none" : new_field.subject());
  add("least_mask", LeastMask(old_field), LeastMask(new_field));
  if (records::ToString(old_type) != records::ToString(new_type) ||
      new_field.field_class() < old_field.field_class())
    touched.set_broken(true);
}

void Compare(const v1::Grant& grant, const catalogue::DatasetPtr& before,
             const catalogue::DatasetPtr& after, v1::TouchedGrant& touched) {
  for (const v1::GrantedField& field : grant.fields()) {
    const auto from = before->IndexOf(field.name());
    const auto to = after->IndexOf(field.name());
    if (from && to) CompareField(*before, *from, *after, *to, touched);
  }
  const auto compiled = policy::Compile(grant, after);
  if (compiled.ok()) return;
  touched.set_broken(true);
  touched.set_ends(true);
  const auto mistakes = BadRequestOf(compiled.status());
  if (!mistakes) return;
  for (const auto& mistake : mistakes->field_violations())
    touched.add_effects(absl::StrCat(mistake.field(), ": ", mistake.description()));
}

}  // namespace

absl::StatusOr<std::vector<v1::TouchedGrant>> GrantsTouched::TouchedBy(
    store::Reader& reader, const catalogue::DatasetPtr& before,
    const catalogue::DatasetPtr& after) {
  SLUICE_ASSIGN_OR_RETURN(const auto grants,
                          GrantsInForce(reader, before->definition.name(), clock_.Now()));
  std::vector<v1::TouchedGrant> all;
  for (const v1::Grant& grant : grants) {
    v1::TouchedGrant touched;
    touched.set_grant(grant.id());
    touched.set_consumer_agency(grant.consumer_agency());
    if (after != nullptr) {
      Compare(grant, before, after, touched);
    } else {
      touched.add_effects("the dataset is retired");
      touched.set_broken(true);
      touched.set_ends(true);
    }
    if (touched.effects_size() > 0) all.push_back(std::move(touched));
  }
  return all;
}

absl::StatusOr<std::vector<audit::ChangeOutcome>> GrantsTouched::Revoke(
    store::Transaction& transaction, const identity::Caller& caller,
    const std::vector<std::string>& ids, const std::string& reason) {
  std::vector<audit::ChangeOutcome> outcomes;
  for (const std::string& id : ids) {
    SLUICE_ASSIGN_OR_RETURN(const auto before, FindGrant(transaction, id));
    if (!before) return absl::InternalError(absl::StrCat("grant ", id, " is gone"));
    v1::Grant after = *before;
    after.set_revision(before->revision() + 1);
    after.set_state(v1::GRANT_STATE_REVOKED);
    after.set_state_reason(reason);
    Stamp(caller, clock_, after);
    SLUICE_RETURN_IF_ERROR(AddRevision(transaction, after));
    audit::ChangeOutcome outcome = GrantOutcome("revoke", &*before, after);
    outcome.reason = reason;
    outcomes.push_back(std::move(outcome));
    SLUICE_ASSIGN_OR_RETURN(auto followed, FollowGrant(transaction, caller, clock_, after));
    if (followed) outcomes.push_back(*std::move(followed));
  }
  return outcomes;
}

}  // namespace sluice::sharing
