// The streams of the bare server: the same bytes again and again, and a table's rows, scanned and
// encoded with the gateway's own parts, but with neither policy nor audit.
#pragma once

#include <grpcpp/support/byte_buffer.h>
#include <grpcpp/support/server_callback.h>

#include <memory>
#include <string>

#include "bare.pb.h"

namespace sluice::bench {

struct ScannedTable {
  std::string database;  // made by bench_make_permits
  std::string media_type;
};

using BatchReactor = grpc::ServerWriteReactor<Batch>;
using BytesReactor = grpc::ServerWriteReactor<grpc::ByteBuffer>;

// They own themselves, as reactors do. The first writes messages of type Batch too.
BytesReactor* StreamFromMemory(const StreamRequest& request);
// Scans ahead of what was written, by four batches at most.
BatchReactor* StreamOfScan(const ScannedTable& table);

}  // namespace sluice::bench
