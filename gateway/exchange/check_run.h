// One Check on its way: a decision without a fetch. Kept alive by its record.
#pragma once

#include <functional>
#include <memory>

#include "gateway/exchange/access.h"

namespace sluice::exchange {

class CheckRun : public std::enable_shared_from_this<CheckRun> {
 public:
  using Done = std::function<void(absl::StatusOr<v1::CheckResponse>)>;
  CheckRun(const BrokerParts& parts, const BrokerLimits& limits, Call call,
           const v1::CheckRequest& request, Done done);

  // Decides and hands over to the log. On the caller's thread; takes microseconds.
  void Start();

 private:
  absl::Status Passes() const;
  void Record();
  void Recorded(const v1::Receipt& receipt);

  const BrokerLimits& limits_;
  const v1::Mode mode_;
  Access access_;
  const Done done_;
};

}  // namespace sluice::exchange
