// bench_files: one adapter alone, in this process, over a file of synthetic stock.
//   make FORM PATH --rows N      writes it
//   scan FORM PATH               reads all of it, twice, and times the second time
//   lookups FORM PATH --rows N   one row by its key again and again, for --seconds
//   sheet PATH --rows N          as scan, of a workbook that bench/compare made
//   copy PATH                    its bytes, from memory to memory
// Prints one JSON object.
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/resource.h>

#include <CLI/CLI.hpp>
#include <chrono>
#include <cstring>
#include <filesystem>
#include <iostream>
#include <nlohmann/json.hpp>

#include "adapters/registry.h"
#include "bench/stock.h"
#include "gateway/base/clock.h"

namespace sluice::bench {
namespace {

using Steady = std::chrono::steady_clock;

struct FilesOptions {
  std::string form, path;
  int64_t rows = 0;
  double seconds = 3;
};

[[noreturn]] void End(const std::string& what) {
  std::cerr << "bench_files: " << what << "\n";
  std::exit(1);
}

void Must(const absl::Status& status) {
  if (!status.ok()) End(status.ToString());
}

double Since(Steady::time_point begin) {
  return std::chrono::duration<double>(Steady::now() - begin).count();
}

int64_t PeakBytes() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return usage.ru_maxrss * 1024;
}

const StockForm& FormOf(const std::string& name) {
  for (const StockForm& form : StockForms())
    if (form.name == name) return form;
  End("no form is called " + name);
}

class Source {
 public:
  Source(const std::string& kind, const adapters::Settings& settings) {
    auto opened = adapters::FindKind(kind)->open(settings);
    Must(opened.status());
    adapter_ = *std::move(opened);
    context_.clock = clock_.get();
  }

  int64_t Read(const adapters::ScanRequest& scan) {
    const auto reader = adapter_->Scan(scan, context_);
    Must(reader.status());
    for (int64_t rows = 0;;) {
      const auto batch = (*reader)->Next();
      Must(batch.status());
      if (!batch->has_value()) return rows;
      rows += (*batch)->rows();
    }
  }

 private:
  std::unique_ptr<Clock> clock_ = MakeSystemClock();
  std::unique_ptr<adapters::Adapter> adapter_;
  adapters::CallContext context_;
};

std::string TableOf(const FilesOptions& options) {
  return options.form == "sqlite" ? "stock" : std::filesystem::path(options.path).stem().string();
}

nlohmann::json TimedScan(Source& source, const adapters::ScanRequest& scan,
                         const std::string& path) {
  // The first reading of a version costs its digest and index.
  const auto first = Steady::now();
  source.Read(scan);
  const double first_seconds = Since(first);
  const auto begin = Steady::now();
  const int64_t rows = source.Read(scan);
  const double seconds = Since(begin);
  const auto bytes = static_cast<double>(std::filesystem::file_size(path));
  return {{"rows", rows},
          {"bytes", bytes},
          {"first_seconds", first_seconds},
          {"rows_per_second", static_cast<double>(rows) / seconds},
          {"bytes_per_second", bytes / seconds},
          {"peak_bytes", PeakBytes()}};
}

nlohmann::json Scan(const FilesOptions& options) {
  const StockForm& form = FormOf(options.form);
  Source source(form.name, form.settings(options.path));
  return TimedScan(source, StockScan(form, TableOf(options)), options.path);
}

nlohmann::json Sheet(const FilesOptions& options) {
  Source source("xlsx", {{"file", options.path}, {"date_format", "yyyyMMdd"}});
  return TimedScan(source, StockScan(FormOf("delimited"), TableOf(options)), options.path);
}

nlohmann::json Lookups(const FilesOptions& options) {
  const StockForm& form = FormOf(options.form);
  Source source(form.name, form.settings(options.path));
  adapters::ScanRequest scan = StockScan(form, TableOf(options));
  scan.rows_wanted = 2;
  scan.predicate.op = records::Op::kEqual;
  scan.predicate.field = 0;
  const auto look_up = [&](int64_t row) {
    scan.predicate.values = {StockItem(row)};
    if (source.Read(scan) != 1) End("not one row");
  };
  const auto first = Steady::now();
  look_up(0);
  const double first_seconds = Since(first);
  // In an order that no cache foresees.
  int64_t row = 0, counted = 0;
  const auto look_up_for = [&](double seconds) {
    const auto begin = Steady::now();
    for (counted = 0; Since(begin) < seconds; ++counted) {
      row = (row + 7'368'787) % options.rows;
      look_up(row);
    }
    return Since(begin);
  };
  look_up_for(options.seconds / 2);
  const double took = look_up_for(options.seconds / 2);
  return {{"first_seconds", first_seconds},
          {"lookups_per_second", static_cast<double>(counted) / took},
          {"peak_bytes", PeakBytes()}};
}

nlohmann::json Copy(const FilesOptions& options) {
  const size_t bytes = std::filesystem::file_size(options.path);
  const int file = open(options.path.c_str(), O_RDONLY | O_CLOEXEC);
  void* from = mmap(nullptr, bytes, PROT_READ, MAP_PRIVATE | MAP_POPULATE, file, 0);
  if (from == MAP_FAILED) End(options.path + " cannot be mapped");
  std::vector<char> to(bytes);
  std::memcpy(to.data(), from, bytes);
  const auto begin = Steady::now();
  int64_t copies = 0;
  do {
    std::memcpy(to.data(), from, bytes);
    asm volatile("" : : "r"(to.data()) : "memory");
    ++copies;
  } while (Since(begin) < options.seconds / 3);
  return {{"bytes_per_second", static_cast<double>(bytes) * copies / Since(begin)}};
}

nlohmann::json Make(const FilesOptions& options) {
  Must(FormOf(options.form).write(options.path, options.rows));
  return {{"bytes", std::filesystem::file_size(options.path)}};
}

}  // namespace
}  // namespace sluice::bench

int main(int argc, char** argv) {
  using namespace sluice::bench;
  CLI::App app("One adapter of files alone, over synthetic stock.");
  app.require_subcommand(1);
  FilesOptions options;
  nlohmann::json (*work)(const FilesOptions&) = nullptr;
  const auto command = [&](const char* name, const char* what, auto run) {
    CLI::App* sub = app.add_subcommand(name, what);
    sub->callback([&work, run] { work = run; });
    sub->add_option("--rows", options.rows);
    sub->add_option("--seconds", options.seconds);
    return sub;
  };
  for (CLI::App* sub :
       {command("make", "writes the file", Make), command("scan", "reads all of it", Scan),
        command("lookups", "one row by its key", Lookups)})
    sub->add_option("form", options.form)->required();
  command("sheet", "reads a workbook", Sheet);
  command("copy", "copies its bytes", Copy);
  for (CLI::App* sub : app.get_subcommands({})) sub->add_option("path", options.path)->required();
  CLI11_PARSE(app, argc, argv);
  std::cout << work(options).dump() << std::endl;
  return 0;
}
