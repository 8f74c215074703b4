#include "gateway/sharing/requests_testing.h"

#include <gtest/gtest.h>

#include "gateway/base/check.h"

namespace sluice::sharing {

RequestsWorld::RequestsWorld() {
  owner = AddPerson("police", "owner", {v1::ROLE_OWNER, v1::ROLE_SHARING_OFFICE});
  owner_office = AddPerson("police", "office", {v1::ROLE_SHARING_OFFICE});
  consumer_office = AddPerson("welfare", "office", {v1::ROLE_SHARING_OFFICE});
}

v1::AccessRequest RequestsWorld::Asked() const {
  v1::AccessRequest request;
  request.set_dataset("police/persons");
  request.add_systems("relief");
  request.add_purposes("relief");
  request.mutable_basis()->set_law("Law on Relief");
  request.mutable_basis()->set_article("7");
  for (const char* field : {"id", "county"}) request.add_fields(field);
  request.add_modes(v1::MODE_QUERY);
  request.mutable_expires()->set_seconds((clock.Now() + 30 * kDay) / kSecond);
  request.set_justification("who applies for relief");
  return request;
}

absl::StatusOr<v1::DraftAccessRequestResponse> RequestsWorld::Draft(
    const identity::Caller& caller, const v1::AccessRequest& wanted) {
  v1::DraftAccessRequestRequest request;
  *request.mutable_request() = wanted;
  return identity::Answer<v1::DraftAccessRequestResponse>(
      [&](auto done) { requests.DraftAccessRequest(caller, request, done); });
}

v1::AccessRequest RequestsWorld::MustSubmit() {
  v1::SubmitAccessRequestRequest request;
  *request.mutable_request() = Asked();
  const auto response = identity::Answer<v1::SubmitAccessRequestResponse>(
      [&](auto done) { requests.SubmitAccessRequest(consumer_office, request, done); });
  EXPECT_TRUE(response.ok()) << response.status();
  SLUICE_CHECK(response.ok());
  return response->request();
}

absl::StatusOr<v1::TakeAccessStepResponse> RequestsWorld::Take(
    const identity::Caller& caller, const v1::TakeAccessStepRequest& step) {
  return identity::Answer<v1::TakeAccessStepResponse>(
      [&](auto done) { requests.TakeAccessStep(caller, step, done); });
}

absl::StatusOr<v1::TakeAccessStepResponse> RequestsWorld::Take(const identity::Caller& caller,
                                                               const std::string& id,
                                                               v1::AccessAction action,
                                                               const std::string& etag) {
  v1::TakeAccessStepRequest step;
  step.set_id(id);
  step.set_action(action);
  step.set_reason("a test");
  step.mutable_basis()->set_law("Law on Data");
  step.mutable_basis()->set_article("21");
  if (action == v1::ACCESS_ACTION_RETURN) step.add_papers("the decision of the county");
  step.set_etag(etag);
  return Take(caller, step);
}

absl::Status RequestsWorld::Try(const identity::Caller& caller, const v1::AccessRequest& request,
                                v1::AccessAction action) {
  if (action == v1::ACCESS_ACTION_DRAFT) {
    v1::AccessRequest mended = request;
    mended.set_justification(mended.justification() + ".");
    return Draft(caller, mended).status();
  }
  if (action != v1::ACCESS_ACTION_GRANT) return Take(caller, request.id(), action).status();
  v1::ApproveAccessRequestRequest approve;
  approve.set_id(request.id());
  return identity::Answer<v1::ApproveAccessRequestResponse>(
             [&](auto done) { requests.ApproveAccessRequest(caller, approve, done); })
      .status();
}

v1::AccessRequest RequestsWorld::Now(const std::string& id) {
  v1::GetAccessRequestRequest get;
  get.set_id(id);
  const auto response = requests.GetAccessRequest(auditor, get);
  EXPECT_TRUE(response.ok()) << response.status();
  return response.ok() ? response->request() : v1::AccessRequest();
}

}  // namespace sluice::sharing
