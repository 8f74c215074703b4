#include "gateway/exchange/log_pace.h"

#include <algorithm>
#include <chrono>
#include <thread>
#include <utility>

namespace sluice::exchange {
namespace {

constexpr Micros kRestForWork = 7;
constexpr Micros kLongestRest = 200 * kMillisecond;

}  // namespace

LogPace::LogPace(const audit::Log& log, const Clock& clock, std::function<void(Micros)> sleep)
    : log_(log),
      clock_(clock),
      sleep_(std::move(sleep)),
      size_(log.size()),
      began_(clock.Monotonic()) {}

void LogPace::Breathe() {
  const uint64_t size = log_.size();
  const Micros worked = std::max<Micros>(0, clock_.Monotonic() - began_);
  if (size != size_ && worked > 0) sleep_(std::min(kRestForWork * worked, kLongestRest));
  size_ = size;
  began_ = clock_.Monotonic();
}

void LogPace::SleepFor(Micros time) {
  std::this_thread::sleep_for(std::chrono::microseconds(time));
}

}  // namespace sluice::exchange
