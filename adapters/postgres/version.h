// The version of a live database, as far as it can be told.
#pragma once

#include "absl/status/statusor.h"
#include "adapters/adapter.h"
#include "adapters/postgres/connection.h"

namespace sluice::adapters::postgres {

// The server's version. as_of is the time of the last commit, where the server keeps it
// (track_commit_timestamp), or of the last one replayed, where it is a standby; of the whole
// server, so that the table was last changed then or before. Read before the data: what is read is
// of that time or later.
absl::StatusOr<SourceVersion> ReadVersion(Connection& connection, const Watch& watch);

}  // namespace sluice::adapters::postgres
