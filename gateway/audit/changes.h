// Changes of control state, each with its audit record: one at a time, on one thread.
//
//   transaction: the caller's SQL + outbox rows  ──▶ commit ──▶ append to the log ──▶ in effect
//   ──▶ done
//
// A change takes effect (the snapshot that decisions read is made anew) after its record is
// durable; revocation and suspension take effect at commit, their record following. The outbox is
// appended to the log by change id, idempotently: after a crash between commit and append, Recover
// finds what is missing. A change whose record cannot be written is not in effect, and the gateway
// ends.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "gateway/audit/log.h"
#include "gateway/audit/record.h"
#include "gateway/store/store.h"
#include "sluice/v1/audit_record.pb.h"

namespace sluice::audit {

// Who asks for a change, as its record says it.
struct ChangeActor {
  v1::Actor actor;
  std::string call_id;
  std::string peer;
  std::string method;  // "Sharing.RevokeGrant"
  std::string certificate_serial;
  std::string certificate_digest;  // 32 bytes
};

// What a change did, told by the function that made it.
struct ChangeOutcome {
  std::string resource_kind;  // "grant"
  std::string resource_name;  // "7q4m2k"
  std::string action;         // "create", "update", "revoke", …
  int64_t resource_revision = 0;
  std::string dataset;  // where it concerns one
  std::string owner_agency;
  std::string before_json;  // empty where there was none
  std::string after_json;
  std::string reason;
  // Nothing was changed (applied again): no record, no effect.
  bool unchanged = false;
  // What else the same transaction changed: a record each, behind this one's.
  std::vector<ChangeOutcome> also;
};

class Changes {
 public:
  // Runs within the transaction, on the change thread. An error rolls back and is the answer.
  using Mutation = std::function<absl::StatusOr<ChangeOutcome>(store::Transaction&)>;
  enum class Effect { kAfterRecord, kAtCommit };

  virtual ~Changes() = default;
  // Any thread. `done` is called once, on the change thread or the log's release thread: OK when
  // the change is committed, recorded and in effect. OVERLOADED where too many wait.
  virtual void Submit(ChangeActor actor, Effect effect, Mutation mutation,
                      std::function<void(absl::Status)> done) = 0;
  // Appends what a crash left in the outbox. Once, before the first Submit. AUDIT_UNAVAILABLE where
  // the log does not take it; DATA_LOSS where the log is shorter than the store knows it to have
  // been: it was replaced by an older copy.
  virtual absl::Status Recover() = 0;
  // Finishes what runs, takes no more; what waits is answered SHUTTING_DOWN. Not from `done`.
  virtual void Close() = 0;
};

// DATA_LOSS where the log is shorter than the store knows it to have been: it was replaced by an
// older copy. Asked before anything is appended, which would make up for what is missing.
absl::Status CheckLogIsWhole(store::Store& store, const Log& log);

// From now on the store's changes go into the log of that origin, which continues one that was
// sealed and knows nothing of those before. Once a log; later calls change nothing.
absl::Status BeginSuccessor(store::Store& store, const std::string& origin);

// The outbox's tables: one of those that Store::Open is given.
store::Migrations OutboxMigrations();

// `publish` makes the snapshot anew from the store; it is called on the change thread. Where it
// fails, the change is answered INTERNAL and all later ones are refused. All references outlive the
// result.
std::unique_ptr<Changes> MakeChanges(store::Store& store, Log& log, RecordSealer& sealer,
                                     std::function<absl::Status()> publish);

}  // namespace sluice::audit
