// Unary calls, so many in flight: each answer sends the next request.
#pragma once

#include <nlohmann/json.hpp>

#include "bench/load_options.h"

namespace sluice::bench {

// Work "query" (Exchange.Query), "lookup" or "echo" (the bare server's). The result: calls,
// calls_per_second, p50_us, p99_us, request_bytes, reply_bytes (means). An answer that is not the
// expected one ends the process.
nlohmann::json RunUnaryLoad(const LoadOptions& options);

}  // namespace sluice::bench
