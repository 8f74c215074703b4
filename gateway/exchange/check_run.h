// One Check or Describe on its way: a decision without a fetch. Kept alive by its record.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "gateway/exchange/access.h"

namespace sluice::exchange {

class CheckRun : public std::enable_shared_from_this<CheckRun> {
 public:
  using Done = std::function<void(absl::StatusOr<Description>)>;
  CheckRun(const BrokerParts& parts, const BrokerLimits& limits, Call call,
           const v1::CheckRequest& request, Done done);
  // Of a stream.
  CheckRun(const BrokerParts& parts, const BrokerLimits& limits, Call call,
           const v1::ReadRequest& request, Done done);

  // Decides and hands over to the log. On the caller's thread; takes microseconds.
  void Start();

 private:
  absl::Status Passes() const;
  void Record();
  void Recorded(const v1::Receipt& receipt);

  const BrokerLimits& limits_;
  const v1::Mode mode_;
  const std::string read_digest_, resume_token_;  // of a stream
  Access access_;
  const Done done_;
};

}  // namespace sluice::exchange
