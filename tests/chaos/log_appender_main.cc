// Opens the log in a folder, appends a few records one after the other, signs a head and closes it:
// for log_calls_test.cc, which lets each of its calls to the kernel fail.
//
//   log_appender FOLDER NAME     says "acked INDEX NAME-i" or "refused NAME-i" of each record
//
// Ends with 0 where all went well, with 2 where the log did not open, 3 where a record was refused,
// 4 where only the head or the close failed.
#include <iostream>
#include <string>

#include "absl/strings/str_cat.h"
#include "tests/chaos/log_in_folder.h"

int main(int argc, char** argv) {
  using namespace sluice;
  if (argc != 3) return 1;
  const auto files = MakePosixFileSystem();
  const auto clock = MakeSystemClock();
  const audit::LogOptions options = chaos::OptionsIn(argv[1]);
  auto log = audit::OpenLog(options, *files, *clock, audit::TestLogKey(), nullptr);
  if (!log.ok()) {
    std::cout << "not opened: " << log.status() << std::endl;
    return 2;
  }
  bool refused = false;
  for (int i = 0; i < chaos::kRecordsOfARun; ++i) {
    const std::string name = absl::StrCat(argv[2], "-", i);
    const auto receipt = audit::AppendOne(**log, chaos::BigRecord(name));
    refused |= !receipt.ok();
    // At once: the next call may be its last.
    if (receipt.ok())
      std::cout << "acked " << receipt->index() << " " << name << std::endl;
    else
      std::cout << "refused " << name << std::endl;
  }
  const bool head = (*log)->Head(true).ok();
  const bool closed = (*log)->Close().ok();
  return refused ? 3 : head && closed ? 0 : 4;
}
