// One change as a service makes it: a body that reads, decides and writes within the transaction,
// and fills the answer that is given once the change is recorded and in effect.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <utility>

#include "absl/status/statusor.h"
#include "gateway/audit/changes.h"
#include "gateway/identity/caller.h"
#include "gateway/identity/differences.h"

namespace sluice::identity {

template <class Response>
using Done = std::function<void(absl::StatusOr<Response>)>;

template <class Response>
using ChangeBody =
    std::function<absl::StatusOr<audit::ChangeOutcome>(store::Transaction&, Response&)>;

template <class Response>
void SubmitChange(audit::Changes& changes, const Caller& caller, audit::Changes::Effect effect,
                  ChangeBody<Response> body, Done<Response> done) {
  auto response = std::make_shared<Response>();
  changes.Submit(
      ActorOf(caller), effect,
      [response, body = std::move(body)](store::Transaction& transaction) {
        return body(transaction, *response);
      },
      [response, done = std::move(done)](absl::Status status) {
        if (!status.ok()) return done(std::move(status));
        done(std::move(*response));
      });
}

// Null `before` where there was none.
inline audit::ChangeOutcome OutcomeOf(std::string kind, std::string name, std::string action,
                                      const google::protobuf::Message* before,
                                      const google::protobuf::Message* after) {
  audit::ChangeOutcome outcome;
  outcome.resource_kind = std::move(kind);
  outcome.resource_name = std::move(name);
  outcome.action = std::move(action);
  outcome.before_json = ToJson(before);
  outcome.after_json = ToJson(after);
  return outcome;
}

// Applied again: nothing to record.
inline audit::ChangeOutcome Unchanged() {
  audit::ChangeOutcome outcome;
  outcome.unchanged = true;
  return outcome;
}

}  // namespace sluice::identity
