// Progress on the error stream, on a terminal only: a bar, or what was done so far where nobody
// knows how much there is. Erased when it ends.
#pragma once

#include <cstdint>
#include <string>

#include "cli/environment.h"

namespace sluice::cli {

class ProgressBar {
 public:
  explicit ProgressBar(Environment& environment) : environment_(environment) {}
  ~ProgressBar();
  ProgressBar(const ProgressBar&) = delete;
  ProgressBar& operator=(const ProgressBar&) = delete;
  // Draws at most once a percent.
  void Show(uint64_t done, uint64_t all);
  // Draws at most ten times a second.
  void ShowSoFar(const std::string& text);

 private:
  Environment& environment_;
  int drawn_ = -1;
  Micros drawn_at_ = 0;
};

}  // namespace sluice::cli
