// bench_make_permits --database FILE --rows N: a SQLite file with synthetic permits.
#include <CLI/CLI.hpp>
#include <iostream>
#include <string>

#include "bench/permits_file.h"

int main(int argc, char** argv) {
  CLI::App app("Writes a SQLite file with synthetic permits.");
  std::string database;
  int64_t rows = 0;
  app.add_option("--database", database, "is made; must not be there")
      ->required()
      ->check(CLI::NonexistentPath);
  app.add_option("--rows", rows, "rounded up to a multiple of 5,000")
      ->required()
      ->check(CLI::Range(int64_t{1}, int64_t{100'000'000}));
  CLI11_PARSE(app, argc, argv);
  const absl::Status written = sluice::bench::WritePermits(database, rows);
  if (written.ok()) return 0;
  std::cerr << "bench_make_permits: " << database << ": " << written.message() << "\n";
  return 1;
}
