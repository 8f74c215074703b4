// The version of a live database: a hash that is another one after every commit.
#pragma once

#include "absl/status/statusor.h"
#include "adapters/adapter.h"
#include "adapters/sqlite/pool.h"

namespace sluice::adapters::sqlite {

// Over which file it is, its size and time of writing, its header (with the change counter and
// schema cookie) and the state of its write-ahead log. Read just before the data: what is read is
// this version or a later one, so that equal versions mean equal data. A checkpoint may change it
// without changing data. as_of is the time of the last write to the file or its log.
absl::StatusOr<SourceVersion> ReadVersion(const Lease& lease, const std::string& path);

}  // namespace sluice::adapters::sqlite
