// What waits for a caller, whatever it is: access requests, corrections, catalogue updates, and
// catalogue entries that are not published. The former each wait for whom their table says; and, as
// soon as a clock of theirs is over, for whom the clock escalates to. An entry that was returned
// waits for the owners of its agency, another one for the authority of any other agency. Computed
// when somebody looks. May block. Any thread.
#pragma once

#include <memory>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "gateway/base/clock.h"
#include "gateway/identity/caller.h"
#include "gateway/sharing/request_life.h"
#include "gateway/sharing/rules.h"
#include "gateway/store/store.h"
#include "sluice/v1/sharing.pb.h"

namespace sluice::sharing {

class Inbox {
 public:
  // The references outlive the object.
  Inbox(store::Store& store, const Clock& clock, std::shared_ptr<const Rules> rules)
      : store_(store), clock_(clock), rules_(std::move(rules)) {}

  // Whoever waits longest comes first; `more` where there are more than one answer holds.
  // SUSPENDED, NOT_REGISTERED.
  absl::StatusOr<v1::GetInboxResponse> GetInbox(const identity::Caller& caller,
                                                const v1::GetInboxRequest& request);

 private:
  using Items = std::vector<v1::InboxItem>;
  absl::Status AddRequests(store::Reader& reader, const identity::Caller& caller, Items& items,
                           bool& more) const;
  template <class Matter>
  absl::Status AddMatters(store::Reader& reader, const identity::Caller& caller, Items& items,
                          bool& more) const;
  absl::Status AddEntries(store::Reader& reader, const identity::Caller& caller, Items& items,
                          bool& more) const;
  absl::Status AddEntry(store::Reader& reader, const Hands& hands, const v1::Dataset& dataset,
                        Items& items) const;

  store::Store& store_;
  const Clock& clock_;
  const std::shared_ptr<const Rules> rules_;
};

}  // namespace sluice::sharing
