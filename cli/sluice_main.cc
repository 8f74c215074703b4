// sluice: the one command-line tool.
#include <malloc.h>
#include <unistd.h>

#include <cstdlib>
#include <iostream>

#include "cli/client/grpc_gateway.h"
#include "cli/run.h"

namespace {

std::optional<std::string> VariableOf(const std::string& name) {
  const char* value = std::getenv(name.c_str());
  return value == nullptr ? std::nullopt : std::optional<std::string>(value);
}

}  // namespace

int main(int argc, char** argv) {
  // Files are read a megabyte at a time. Taken from the system anew each time, such a buffer costs
  // a third of what verifying a log costs in all.
  mallopt(M_MMAP_THRESHOLD, 32 << 20);
  mallopt(M_TRIM_THRESHOLD, 64 << 20);
  // A person reads the error that follows; gRPC's own words are for whoever asks for them.
  setenv("GRPC_VERBOSITY", "NONE", /*overwrite=*/0);
  std::ios::sync_with_stdio(false);
  const auto files = sluice::MakePosixFileSystem();
  const auto clock = sluice::MakeSystemClock();
  const auto random = sluice::MakeSystemRandom();
  sluice::cli::Environment environment{
      .in = std::cin,
      .out = std::cout,
      .err = std::cerr,
      .out_is_terminal = isatty(STDOUT_FILENO) == 1,
      .err_is_terminal = isatty(STDERR_FILENO) == 1,
      .files = *files,
      .clock = *clock,
      .random = *random,
      .variable = VariableOf,
      .zone = absl::LocalTimeZone(),
      .connect = sluice::cli::MakeGrpcConnector(*files, *clock),
  };
  return sluice::cli::Run(environment, {argv + 1, argv + argc});
}
