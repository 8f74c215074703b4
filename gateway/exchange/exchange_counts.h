// How exchanges ended, counted for metrics: by mode and reason, and how long they took. No caller,
// no dataset, no record. Any thread; counting takes no lock.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <memory>

#include "absl/status/status.h"
#include "gateway/base/clock.h"
#include "gateway/base/histogram.h"
#include "gateway/exchange/read_writer.h"
#include "sluice/v1/reason.pb.h"

namespace sluice::exchange {

class ExchangeCounts {
 public:
  enum class Mode { kQuery, kRead, kMatch, kCount };
  static constexpr std::array<Mode, 4> kModes = {Mode::kQuery, Mode::kRead, Mode::kMatch,
                                                 Mode::kCount};

  // `told`: what the caller was told at the end.
  void Ended(Mode mode, const absl::Status& told, Micros took);
  // REASON_UNSPECIFIED: those that ended well.
  uint64_t Count(Mode mode, v1::Reason reason) const;
  const Histogram& Took(Mode mode) const { return modes_[static_cast<size_t>(mode)].took; }

 private:
  struct OfMode {
    std::array<std::atomic<uint64_t>, v1::Reason_ARRAYSIZE> by_reason{};
    Histogram took;
  };
  std::array<OfMode, kModes.size()> modes_;
};

// "query", "read", "match", "count".
const char* NameOf(ExchangeCounts::Mode mode);

// The same writer, which tells the counts how the stream ended. They and the clock outlive it.
std::shared_ptr<ReadWriter> Counted(std::shared_ptr<ReadWriter> writer, ExchangeCounts& counts,
                                    const Clock& clock);

}  // namespace sluice::exchange
