#include "gateway/sharing/terms.h"

#include <algorithm>
#include <string>

#include "absl/strings/str_cat.h"
#include "gateway/identity/definitions.h"

namespace sluice::sharing {
namespace {

template <class List, class Value>
bool Contains(const List& list, const Value& value) {
  return std::find(list.begin(), list.end(), value) != list.end();
}

bool IsAfter(const google::protobuf::Timestamp& a, const google::protobuf::Timestamp& b) {
  return a.seconds() != b.seconds() ? a.seconds() > b.seconds() : a.nanos() > b.nanos();
}

template <class List>
void CheckListed(const char* path, const List& given, const List& asked,
                 identity::Mistakes& mistakes) {
  for (int i = 0; i < given.size(); ++i)
    if (!Contains(asked, given[i]))
      mistakes.Add(absl::StrCat("grant.", path, "[", i, "]"), "was not asked for");
}

constexpr int64_t kProposedMisses = 100;

// Where nothing says how fields are matched: what names a row or a person finds it, the others are
// compared as they are.
void ProposeMatching(const catalogue::Dataset& dataset, v1::Grant& grant) {
  const bool said = std::any_of(
      grant.fields().begin(), grant.fields().end(),
      [](const v1::GrantedField& field) { return field.match() != v1::MATCH_RULE_UNSPECIFIED; });
  if (said || !Contains(grant.modes(), static_cast<int>(v1::MODE_MATCH))) return;
  for (v1::GrantedField& field : *grant.mutable_fields()) {
    const auto index = dataset.IndexOf(field.name());
    if (!index || dataset.schema->field(*index).type.id == records::TypeId::kFloat64) continue;
    const bool resident = dataset.field(*index).subject() == "CN-RID";
    field.set_match(resident ? v1::MATCH_RULE_ID_NUMBER : v1::MATCH_RULE_EXACT);
    field.set_finds(Contains(dataset.subject_fields, *index) || Contains(dataset.key, *index));
  }
  if (grant.quota().misses_per_day() == 0)
    grant.mutable_quota()->set_misses_per_day(kProposedMisses);
}

}  // namespace

v1::Grant GrantFor(const v1::AccessRequest& request, const v1::Grant& terms,
                   const catalogue::Dataset& dataset) {
  v1::Grant grant = terms;
  grant.clear_id();
  grant.clear_revision();
  grant.clear_etag();
  grant.clear_changed();
  grant.clear_changed_by();
  grant.clear_state_reason();
  grant.set_state(v1::GRANT_STATE_IN_FORCE);
  grant.set_request(request.id());
  if (grant.dataset().empty()) grant.set_dataset(request.dataset());
  if (grant.consumer_agency().empty()) grant.set_consumer_agency(request.consumer_agency());
  if (grant.systems().empty()) *grant.mutable_systems() = request.systems();
  if (grant.purposes().empty()) *grant.mutable_purposes() = request.purposes();
  if (!grant.has_basis()) *grant.mutable_basis() = request.basis();
  if (grant.fields().empty())
    for (const std::string& name : request.fields()) grant.add_fields()->set_name(name);
  if (grant.row_filter().empty()) grant.set_row_filter(request.row_filter());
  if (grant.modes().empty()) *grant.mutable_modes() = request.modes();
  if (grant.scope().empty()) grant.set_scope(request.scope());
  if (!grant.has_quota() && request.has_quota()) *grant.mutable_quota() = request.quota();
  if (!grant.has_not_before() && request.has_not_before())
    *grant.mutable_not_before() = request.not_before();
  if (!grant.has_expires() && request.has_expires()) *grant.mutable_expires() = request.expires();
  for (v1::GrantedField& field : *grant.mutable_fields()) {
    const auto index = dataset.IndexOf(field.name());
    if (!field.has_mask() && index && dataset.field(*index).has_least_mask())
      *field.mutable_mask() = dataset.field(*index).least_mask();
  }
  ProposeMatching(dataset, grant);
  return grant;
}

absl::Status CheckWithin(const v1::Grant& grant, const v1::AccessRequest& request) {
  identity::Mistakes mistakes;
  if (grant.dataset() != request.dataset())
    mistakes.Add("grant.dataset", "is not the dataset that was asked for");
  if (grant.consumer_agency() != request.consumer_agency())
    mistakes.Add("grant.consumer_agency", "is not the agency that asked");
  if (!request.systems().empty()) {
    if (grant.systems().empty()) mistakes.Add("grant.systems", "not all systems were asked for");
    CheckListed("systems", grant.systems(), request.systems(), mistakes);
  }
  CheckListed("purposes", grant.purposes(), request.purposes(), mistakes);
  CheckListed("modes", grant.modes(), request.modes(), mistakes);
  for (int i = 0; i < grant.fields_size(); ++i)
    if (!Contains(request.fields(), grant.fields(i).name()))
      mistakes.Add(absl::StrCat("grant.fields[", i, "].name"), "was not asked for");
  if (request.has_not_before() &&
      (!grant.has_not_before() || IsAfter(request.not_before(), grant.not_before())))
    mistakes.Add("grant.not_before", "is before the time that was asked for");
  if (IsAfter(grant.expires(), request.expires()))
    mistakes.Add("grant.expires", "is after the time that was asked for");
  return mistakes.ToStatus();
}

}  // namespace sluice::sharing
