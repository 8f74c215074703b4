#include "cli/progress.h"

#include <algorithm>
#include <string>

namespace sluice::cli {
namespace {
constexpr int kCells = 40;
}

ProgressBar::~ProgressBar() {
  if (drawn_ >= 0) environment_.err << "\r\x1b[K" << std::flush;
}

void ProgressBar::Show(uint64_t done, uint64_t all) {
  if (!environment_.err_is_terminal || all == 0) return;
  const double part = std::min(1.0, static_cast<double>(done) / static_cast<double>(all));
  const int percent = static_cast<int>(part * 100);
  if (percent == drawn_) return;
  drawn_ = percent;
  const int full = percent * kCells / 100;
  std::string bar(static_cast<size_t>(full), '#');
  bar.resize(kCells, '.');
  environment_.err << "\r[" << bar << "] " << percent << "%" << std::flush;
}

void ProgressBar::ShowSoFar(const std::string& text) {
  if (!environment_.err_is_terminal) return;
  const Micros now = environment_.clock.Monotonic();
  if (drawn_ >= 0 && now - drawn_at_ < kSecond / 10) return;
  drawn_ = 0;
  drawn_at_ = now;
  environment_.err << "\r\x1b[K" << text << std::flush;
}

}  // namespace sluice::cli
