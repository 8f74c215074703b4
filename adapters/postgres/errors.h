// The server's and libpq's failures as our reasons. The server's own texts may hold values and
// names of the owner's ("invalid input syntax for type integer: …"), so that they are never asked
// for: connections report SQLSTATEs only (PostgreSQL's manual, appendix A), and what a foreign
// agency may read is written here.
#pragma once

#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "libpq-fe.h"

namespace sluice::adapters::postgres {

absl::Status Unavailable(std::string_view sentence);
absl::Status Drift(std::string_view sentence);

// For a statement that failed with this SQLSTATE: SOURCE_UNAVAILABLE where the server cannot, will
// not or may not answer now, SCHEMA_DRIFT where what is read is not there or of another type,
// SOURCE_BAD_VALUE where a value cannot be computed or has no Unicode, an internal status for the
// rest.
absl::Status StateError(std::string_view sqlstate);

// For a connection that was not made, or is lost. Always SOURCE_UNAVAILABLE.
absl::Status ConnectionError(PGconn* connection);

// The statement was planned from a schema that is no longer so: to be planned anew once.
bool SaysSchemaChanged(std::string_view sqlstate);

inline constexpr std::string_view kQueryCancelled = "57014";
// Not of the server: what it gives is not of the types that were planned for.
inline constexpr std::string_view kSchemaChanged = "0A000";

}  // namespace sluice::adapters::postgres
