// What tests of access requests share: the world of grants with sharing offices on both sides, and
// steps taken in it.
#pragma once

#include <string>
#include <vector>

#include "gateway/sharing/access_requests.h"
#include "gateway/sharing/catalogue_updates.h"
#include "gateway/sharing/corrections.h"
#include "gateway/sharing/grants_testing.h"
#include "gateway/sharing/inbox.h"

namespace sluice::sharing {

class RequestsWorld : public GrantsWorld {
 public:
  RequestsWorld();

  // Of police/persons for welfare, a month long.
  v1::AccessRequest Asked() const;
  absl::StatusOr<v1::DraftAccessRequestResponse> Draft(const identity::Caller& caller,
                                                       const v1::AccessRequest& wanted);
  // Submitted by consumer_office; it must go well.
  v1::AccessRequest MustSubmit();
  absl::StatusOr<v1::TakeAccessStepResponse> Take(const identity::Caller& caller,
                                                  const v1::TakeAccessStepRequest& step);
  // With all the words that any step needs.
  absl::StatusOr<v1::TakeAccessStepResponse> Take(const identity::Caller& caller,
                                                  const std::string& id, v1::AccessAction action,
                                                  const std::string& etag = "");
  // Drafting and granting too.
  absl::Status Try(const identity::Caller& caller, const v1::AccessRequest& request,
                   v1::AccessAction action);
  // As an auditor sees it.
  v1::AccessRequest Now(const std::string& id);

  AccessRequests requests{*store, *changes, clock, random, Rules::Shipped()};
  Corrections corrections{*store, *changes, clock, random, Rules::Shipped()};
  CatalogueUpdates updates{*store, *changes, clock, random, Rules::Shipped()};
  Inbox inbox{*store, clock, Rules::Shipped()};
  // Persons with the role sharing_office: of the police (`owner` is an owner too), of welfare.
  identity::Caller owner_office, consumer_office;
};

}  // namespace sluice::sharing
