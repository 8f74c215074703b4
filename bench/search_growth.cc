// How long the first page of an auditor's search takes as the log grows, at each power of ten.
#include <CLI/CLI.hpp>
#include <chrono>
#include <cstdlib>
#include <iomanip>
#include <iostream>
#include <nlohmann/json.hpp>

#include "gateway/audit/search_growth_testing.h"

namespace sluice::bench {
namespace {

[[noreturn]] void GiveUp(const absl::Status& status) {
  std::cerr << "bench_search: " << status << "\n";
  std::_Exit(1);
}

// A line for people, or an object with times in microseconds.
void Print(uint64_t size, const audit::SearchTiming& first, const audit::SearchTiming& again,
           bool json) {
  if (json) {
    std::cout << nlohmann::json{{"records", size},
                                {"search", first.what},
                                {"first_us", first.median_ms * 1000},
                                {"again_us", again.median_ms * 1000}}
              << std::endl;
    return;
  }
  std::cout << "  " << std::left << std::setw(36) << first.what << std::right << std::fixed
            << std::setprecision(2) << std::setw(8) << first.median_ms << " ms, worst "
            << std::setw(8) << first.worst_ms << " ms, up to " << first.hits << " hits; again "
            << again.median_ms << " ms" << std::endl;
}

void GrowAndMeasure(uint64_t most, bool json) {
  audit::SearchGrowth growth;
  uint64_t before = 0;
  for (uint64_t size = 10'000; size <= most; size *= 10) {
    const auto began = std::chrono::steady_clock::now();
    const absl::Status grown = growth.GrowTo(
        size, [](uint64_t done) { std::cerr << "\r" << done << " records  " << std::flush; });
    if (!grown.ok()) GiveUp(grown);
    const double seconds =
        std::chrono::duration<double>(std::chrono::steady_clock::now() - began).count();
    std::cerr << "\r";
    if (!json)
      std::cout << size << " records, taken in at "
                << static_cast<int>(static_cast<double>(size - before) / seconds) << "/s, "
                << growth.IndexBytes() / size << " bytes each\n";
    before = size;
    const auto timings = growth.Measure();
    if (!timings.ok()) GiveUp(timings.status());
    // The same once more, with what was read from the disk in memory.
    const auto again = growth.Measure();
    if (!again.ok()) GiveUp(again.status());
    for (size_t i = 0; i < timings->size(); ++i) Print(size, (*timings)[i], (*again)[i], json);
  }
}

}  // namespace
}  // namespace sluice::bench

int main(int argc, char** argv) {
  CLI::App app("What an auditor's search costs as the log grows.");
  uint64_t most = 1'000'000;
  app.add_option("--records", most, "to grow to, by powers of ten from 10,000 on");
  bool json = false;
  app.add_flag("--json", json, "an object a line");
  CLI11_PARSE(app, argc, argv);
  sluice::bench::GrowAndMeasure(most, json);
  return 0;
}
