// What a source says when it is asked by its operator or its owner, outside of any exchange:
// whether it answers, what it has, whether it does what datasets stand on. Each look works on the
// source's own threads, and gives way to calls; a definition that is tried has none, and is looked
// at on the caller's.
#pragma once

#include <functional>
#include <vector>

#include "absl/status/statusor.h"
#include "gateway/audit/changes.h"
#include "gateway/exchange/broker.h"
#include "gateway/exchange/sources.h"
#include "sluice/v1/registry.pb.h"

namespace sluice::exchange {

struct SourceLookParts {
  Sources& sources;
  const Clock& clock;
  OpenAdapter open;
  // Of a definition that is tried: its kind and its settings.
  std::function<absl::Status(const v1::Source&)> check;
  // Writes the act into the log, before it takes effect.
  std::function<absl::Status(const Call&, const audit::ChangeOutcome&)> record;
};

struct DescribedSource {
  v1::Source definition;
  std::vector<adapters::TableDescription> tables;
};

// Any thread. May block. NOT_FOUND for no such source, SOURCE_NOT_OWNED and ROLE_REQUIRED for whom
// it is not for, DEFINITION_INVALID for a definition or a request that cannot be, else the source's
// own.
class SourceLooks {
 public:
  explicit SourceLooks(SourceLookParts parts) : parts_(std::move(parts)) {}

  template <class Response>
  using Done = std::function<void(absl::StatusOr<Response>)>;
  void ProbeSource(const Call& call, v1::ProbeSourceRequest request,
                   Done<v1::ProbeSourceResponse> done);
  void DescribeSource(const Call& call, v1::DescribeSourceRequest request,
                      Done<DescribedSource> done);
  void CheckSource(const Call& call, v1::CheckSourceRequest request,
                   Done<v1::CheckSourceResponse> done);

 private:
  // A source and what works on it.
  struct Chosen {
    v1::Source definition;
    std::shared_ptr<SourceAtWork> at_work;  // null: a definition that is tried
  };
  absl::StatusOr<Chosen> Choose(const Call& call, const v1::SourceChoice& choice) const;
  adapters::CallContext ContextFor(const Call& call) const;
  // Runs `look` with the adapter; tells its status where it cannot be run.
  void Run(const Chosen& chosen, SourceAtWork::Task look,
           const std::function<void(absl::Status)>& refused) const;

  const SourceLookParts parts_;
};

}  // namespace sluice::exchange
