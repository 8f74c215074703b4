#include "gateway/exchange/exchange_counts.h"

#include <utility>

#include "gateway/base/error.h"

namespace sluice::exchange {
namespace {

class CountedWriter : public ReadWriter {
 public:
  CountedWriter(std::shared_ptr<ReadWriter> writer, ExchangeCounts& counts, const Clock& clock)
      : writer_(std::move(writer)), counts_(counts), clock_(clock), began_(clock.Monotonic()) {}

  void Begin(const records::SchemaPtr& schema) override { writer_->Begin(schema); }
  void Write(v1::ReadResponse message, Pieces payload, std::function<void(bool)> taken) override {
    writer_->Write(std::move(message), std::move(payload), std::move(taken));
  }
  void Finish(absl::Status status, std::optional<v1::ReadResponse> last) override {
    counts_.Ended(ExchangeCounts::Mode::kRead, status, clock_.Monotonic() - began_);
    writer_->Finish(std::move(status), std::move(last));
  }
  void Abort() override { writer_->Abort(); }

 private:
  const std::shared_ptr<ReadWriter> writer_;
  ExchangeCounts& counts_;
  const Clock& clock_;
  const Micros began_;
};

}  // namespace

void ExchangeCounts::Ended(Mode mode, const absl::Status& told, Micros took) {
  v1::Reason reason = ReasonOf(told);
  if (!told.ok() && (reason <= v1::REASON_UNSPECIFIED || reason >= v1::Reason_ARRAYSIZE))
    reason = v1::REASON_INTERNAL;
  OfMode& counted = modes_[static_cast<size_t>(mode)];
  counted.by_reason[reason].fetch_add(1, std::memory_order_relaxed);
  counted.took.Add(took);
}

uint64_t ExchangeCounts::Count(Mode mode, v1::Reason reason) const {
  return modes_[static_cast<size_t>(mode)].by_reason[reason].load(std::memory_order_relaxed);
}

const char* NameOf(ExchangeCounts::Mode mode) {
  switch (mode) {
    case ExchangeCounts::Mode::kRead:
      return "read";
    case ExchangeCounts::Mode::kMatch:
      return "match";
    case ExchangeCounts::Mode::kCount:
      return "count";
    default:
      return "query";
  }
}

std::shared_ptr<ReadWriter> Counted(std::shared_ptr<ReadWriter> writer, ExchangeCounts& counts,
                                    const Clock& clock) {
  return std::make_shared<CountedWriter>(std::move(writer), counts, clock);
}

}  // namespace sluice::exchange
