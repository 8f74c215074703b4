// An adapter whose source is memory: tables of permits of any size, so that a bulk read measures
// the gateway and not a source. In bench_sluiced alone.
#pragma once

#include "adapters/registry.h"

namespace sluice::bench {

// The kind `memory`. Its tables are called "permits_ROWS" ("permits_1000000"); ROWS is a multiple
// of Permits::kBatchRows. One setting: `held_batches`, 1 to 1,000, how many batches stand in memory
// before their rows come again under other keys.
adapters::Kind MemoryKind();

}  // namespace sluice::bench
