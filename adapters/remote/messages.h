// What crosses the wire between gateway and adapter process (proto/sluice/v1/adapter.proto), to and
// from the structs of adapters/adapter.h. For both ends; pure functions.
#pragma once

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "adapters/adapter.h"
#include "sluice/v1/adapter.pb.h"

namespace sluice::adapters::remote {

inline constexpr int64_t kMostRows = 16'384;
inline constexpr int64_t kMostBatchBytes = 4 << 20;  // of a batch of more than one row
inline constexpr int kMostRequestBytes = 1 << 20;
inline constexpr int kMostMessageBytes = 16 << 20;

// Nothing set for null.
v1::Value ToProto(const records::Scalar& value, const records::DataType& type);

// A predicate that would make too large a message, or too deep a one, is left out: it is a hint.
v1::ScanRequest ToProto(const ScanRequest& request, const std::string& source);
// INVALID_ARGUMENT, saying where, for whatever ToProto would not write.
absl::StatusOr<ScanRequest> FromProto(const v1::ScanRequest& request);

v1::TableDescription ToProto(const TableDescription& table);
// INVALID_ARGUMENT for a type that is none.
absl::StatusOr<TableDescription> FromProto(const v1::TableDescription& table);

// At most 32, of at most 1,000 bytes each.
std::vector<std::string> NotesOf(const v1::ProbeResponse& response);

v1::SourceVersion ToProto(const SourceVersion& version);
SourceVersion FromProto(const v1::SourceVersion& version);

}  // namespace sluice::adapters::remote
