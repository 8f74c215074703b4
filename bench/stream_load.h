// Streams of a server, so many in flight: where one ends, the next begins.
#pragma once

#include <nlohmann/json.hpp>

#include "bench/load_options.h"

namespace sluice::bench {

// Work "read" (Exchange.Read), "stream" or "scan" (the bare server's). Messages are parsed; digests
// are not checked, because the client's work is not what is measured. The result: batches,
// payload_bytes, payload_bytes_per_second, and streams, those that came whole, with the means
// stream_batches and stream_bytes (0 where none did). A stream that ends in any other way than it
// should ends the process.
nlohmann::json RunStreamLoad(const LoadOptions& options);

}  // namespace sluice::bench
