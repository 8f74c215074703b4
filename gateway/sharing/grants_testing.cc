#include "gateway/sharing/grants_testing.h"

#include <gtest/gtest.h>

#include "gateway/base/check.h"
#include "gateway/catalogue/mask_spec.h"
#include "gateway/sharing/grant_table.h"

namespace sluice::sharing {
namespace {

void AddField(v1::Dataset& dataset, const std::string& name, v1::FieldType type,
              v1::FieldClass field_class) {
  v1::DatasetField& field = *dataset.add_fields();
  field.set_name(name);
  field.mutable_type()->set_type(type);
  field.set_field_class(field_class);
}

}  // namespace

GrantsWorld::GrantsWorld() : World({catalogue::CatalogueMigrations(), SharingMigrations()}) {
  for (const char* id : {"ministry", "police", "welfare", "tax-office"}) AddAgency(id);
  owner = AddPerson("police", "owner", {v1::ROLE_OWNER});
  clerk = AddPerson("police", "clerk", {});
  other_owner = AddPerson("tax-office", "owner", {v1::ROLE_OWNER});
  consumer_clerk = AddPerson("welfare", "clerk", {v1::ROLE_OWNER});
  consumer_system = AddSystem("welfare", "relief");
  owner_system = AddSystem("police", "desk");
  other_system = AddSystem("tax-office", "returns");
  auditor = AddPerson("ministry", "auditor", {v1::ROLE_AUDITOR});
  authority = AddPerson("ministry", "authority", {v1::ROLE_AUTHORITY});
  operator_person = AddPerson("ministry", "operator", {v1::ROLE_OPERATOR});
  for (const char* code : {"relief", "census"}) AddPurpose(code);
  AddPurpose("old", true);
  AddSource("register", "police");
  PutDataset(Persons());
}

v1::Dataset GrantsWorld::Persons() {
  v1::Dataset dataset;
  dataset.set_name("police/persons");
  dataset.set_revision(1);
  dataset.set_sharing(v1::SHARING_ATTRIBUTE_CONDITIONAL);
  for (const char* code : {"relief", "census", "old"}) dataset.add_purposes(code);
  dataset.set_source("register");
  AddField(dataset, "id", v1::FIELD_TYPE_UTF8, v1::FIELD_CLASS_L4_HIGHLY_SENSITIVE);
  *dataset.mutable_fields(0)->mutable_least_mask() = *catalogue::ParseMask("partial(3..4)");
  AddField(dataset, "born", v1::FIELD_TYPE_DATE32, v1::FIELD_CLASS_L3_PERSONAL);
  AddField(dataset, "income", v1::FIELD_TYPE_INT64, v1::FIELD_CLASS_L3_PERSONAL);
  AddField(dataset, "county", v1::FIELD_TYPE_UTF8, v1::FIELD_CLASS_L2_INTERNAL);
  AddField(dataset, "points", v1::FIELD_TYPE_INT64, v1::FIELD_CLASS_L1_OPEN);
  dataset.add_key("points");
  return dataset;
}

void GrantsWorld::PutDataset(const v1::Dataset& dataset) {
  Write([&](store::Transaction& transaction) {
    return catalogue::AddRevision(transaction, dataset);
  });
}

v1::Grant GrantsWorld::Wanted() const {
  v1::Grant grant;
  grant.set_dataset("police/persons");
  grant.set_consumer_agency("welfare");
  grant.add_systems("relief");
  grant.add_purposes("relief");
  grant.mutable_basis()->set_law("Law on Relief");
  grant.mutable_basis()->set_article("7");
  v1::GrantedField& id = *grant.add_fields();
  id.set_name("id");
  *id.mutable_mask() = *catalogue::ParseMask("partial(3..4)");
  grant.add_fields()->set_name("county");
  grant.add_modes(v1::MODE_QUERY);
  grant.mutable_expires()->set_seconds((clock.Now() + 30 * kDay) / kSecond);
  return grant;
}

absl::StatusOr<v1::ApplyGrantResponse> GrantsWorld::Apply(const identity::Caller& caller,
                                                          const v1::Grant& grant, bool dry_run) {
  v1::ApplyGrantRequest request;
  *request.mutable_grant() = grant;
  request.set_dry_run(dry_run);
  return identity::Answer<v1::ApplyGrantResponse>(
      [&](auto done) { grants.ApplyGrant(caller, request, done); });
}

v1::Grant GrantsWorld::MustApply(const v1::Grant& grant) {
  const auto response = Apply(owner, grant);
  EXPECT_TRUE(response.ok()) << response.status();
  SLUICE_CHECK(response.ok());
  return response->grant();
}

absl::StatusOr<v1::RevokeGrantResponse> GrantsWorld::Revoke(const identity::Caller& caller,
                                                            const std::string& id,
                                                            const std::string& etag,
                                                            const std::string& reason) {
  v1::RevokeGrantRequest request;
  request.set_id(id);
  request.set_etag(etag);
  request.set_reason(reason);
  return identity::Answer<v1::RevokeGrantResponse>(
      [&](auto done) { grants.RevokeGrant(caller, request, done); });
}

absl::StatusOr<v1::SetGrantStateResponse> GrantsWorld::SetState(const identity::Caller& caller,
                                                                const std::string& id,
                                                                v1::GrantState state,
                                                                const std::string& etag,
                                                                const std::string& reason) {
  v1::SetGrantStateRequest request;
  request.set_id(id);
  request.set_state(state);
  request.set_etag(etag);
  request.set_reason(reason);
  return identity::Answer<v1::SetGrantStateResponse>(
      [&](auto done) { grants.SetGrantState(caller, request, done); });
}

absl::StatusOr<v1::GetGrantResponse> GrantsWorld::Get(const identity::Caller& caller,
                                                      const std::string& id, int64_t revision) {
  v1::GetGrantRequest request;
  request.set_id(id);
  request.set_revision(revision);
  return grants.GetGrant(caller, request);
}

}  // namespace sluice::sharing
