// What somebody asks of the log, made ready: who may see what, the conditions with every identifier
// of a person turned into pseudonyms, and what the record of the asking says. From here on nobody
// sees the identifier.
#pragma once

#include <string>

#include "absl/status/statusor.h"
#include "gateway/audit/record_query.h"
#include "gateway/audit/search.h"
#include "gateway/audit/subjects.h"
#include "gateway/identity/principal.h"
#include "sluice/v1/audit.pb.h"

namespace sluice::exchange {

struct LogQuestion {
  audit::Scope scope;
  audit::RecordQuery query;
  // Fit to be recorded: a subject by its id type alone. Of a value that no record has which the
  // asker may see, a keyed digest stands: it may be anything.
  v1::RecordFilter recorded;
};

// ROLE_REQUIRED where the caller's roles show nothing.
absl::StatusOr<audit::Scope> ScopeOf(const identity::Principal& who);

// Blocks on the index. ROLE_REQUIRED, REQUEST_INVALID naming the field and no value.
absl::StatusOr<LogQuestion> PrepareQuestion(const identity::Principal& who,
                                            const v1::RecordFilter& filter,
                                            const audit::Pseudonyms& pseudonyms, audit::Log& log,
                                            audit::SearchIndex& index, Micros now);

}  // namespace sluice::exchange
