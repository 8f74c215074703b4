#include "adapters/postgres/version.h"

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "gateway/base/error.h"
#include "gateway/base/view.h"

namespace sluice::adapters::postgres {

absl::StatusOr<SourceVersion> ReadVersion(Connection& connection, const Watch& watch) {
  const ServerFacts& facts = connection.facts();
  SourceVersion version;
  version.version = "PostgreSQL " + facts.version;
  if (!facts.standby && !facts.tells_commits) return version;
  static const char* const kCommitted =
      "SELECT (extract(epoch FROM c.timestamp) * 1000000)::pg_catalog.int8"
      " FROM pg_catalog.pg_last_committed_xact() AS c";
  static const char* const kReplayed =
      "SELECT (extract(epoch FROM pg_catalog.pg_last_xact_replay_timestamp()) * "
      "1000000)::pg_catalog.int8";
  SLUICE_ASSIGN_OR_RETURN(const ResultPtr rows,
                          connection.Query(facts.standby ? kReplayed : kCommitted, {}, watch));
  Micros as_of = 0;
  if (PQntuples(rows.get()) == 1 && absl::SimpleAtoi(View(ValueAt(rows, 0, 0)), &as_of))
    version.as_of = as_of;
  return version;
}

}  // namespace sluice::adapters::postgres
