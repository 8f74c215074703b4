// A progress bar on the error stream, on a terminal only. Erased when it ends.
#pragma once

#include <cstdint>

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

 private:
  Environment& environment_;
  int drawn_ = -1;
};

}  // namespace sluice::cli
