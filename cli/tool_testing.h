// The tool as a person at a terminal runs it, in a world of a test's own: files in memory, a clock
// that stands at 2026-11-23 14:02:07 +08:00, and a gateway that answers as the test says.
//
//   Tool tool;
//   tool.gateway.Answer(kGetGrant, answer);
//   EXPECT_EQ(tool.Run({"grant", "show", "7q4m2k"}).code, 0);
#pragma once

#include <string>
#include <vector>

#include "cli/fake_gateway.h"
#include "gateway/base/fake_clock.h"
#include "gateway/base/fake_file_system.h"
#include "google/protobuf/timestamp.pb.h"
#include "sluice/v1/audit_record.pb.h"

namespace sluice::cli {

struct Ran {
  int code = 0;
  std::string out, err;
};

class Tool {
 public:
  Tool();
  // With a profile whose log is the one that signs ReceiptOf.
  Ran Run(std::vector<std::string> arguments);
  void Write(const std::string& path, const std::string& text);
  static v1::Receipt ReceiptOf(const v1::AuditEnvelope& envelope, int64_t index);

  FakeFileSystem files;
  FakeClock clock;
  FakeGateway gateway;
  bool terminal = true;
  bool err_is_terminal = false;
  std::string input;  // on the standard input
};

// "2026-11-09T12:00:00+08:00".
google::protobuf::Timestamp At(const std::string& text);

}  // namespace sluice::cli
