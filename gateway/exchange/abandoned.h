// Streams that a run of the gateway left open, because it crashed or could not record their end.
#pragma once

#include "absl/status/status.h"
#include "gateway/audit/log.h"
#include "gateway/audit/record.h"
#include "gateway/base/operational_log.h"
#include "gateway/exchange/quota.h"
#include "gateway/exchange/usage_history.h"

namespace sluice::exchange {

// Records an ABANDONED for each, with what may have left at most: the totals of its last PROGRESS.
// Waits until they are durable; the rows count against the quotas. Once usage is restored and
// before anything else is let go.
absl::Status AbandonStreams(const UsageHistory& usage, audit::Log& log, audit::RecordSealer& sealer,
                            const policy::Snapshot& snapshot, QuotaLedger& quotas,
                            OperationalLog& operations);

}  // namespace sluice::exchange
