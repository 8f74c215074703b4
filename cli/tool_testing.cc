#include "cli/tool_testing.h"

#include <gtest/gtest.h>

#include <sstream>

#include "cli/run.h"
#include "cli/times.h"
#include "gateway/audit/merkle.h"
#include "gateway/audit/receipts.h"

namespace sluice::cli {
namespace {

constexpr char kOrigin[] = "gw1.gov.example/log";
constexpr char kProfile[] = R"(gateway: gw1.gov.example:8443
trust_domain: gov.example
certificate: certificate.pem
key: key.pem
authorities: ca.pem
log_key: )";

const SigningKey& LogKey() {
  static const SigningKey* const key = new SigningKey(*SigningKey::FromSeed(std::string(32, 'k')));
  return *key;
}

absl::TimeZone China() { return absl::FixedTimeZone(8 * 60 * 60); }

}  // namespace

Tool::Tool() : clock(ToMicros(At("2026-11-23T14:02:07+08:00"))) {
  const auto key = audit::MakeVerifierKey(kOrigin, audit::KeyType::kEd25519, LogKey().public_key());
  Write("/home/li/.config/sluice/profiles/office.yaml",
        kProfile + audit::FormatVerifierKey(*key) + "\n");
}

void Tool::Write(const std::string& path, const std::string& text) {
  ASSERT_TRUE(files.CreateDirectories(DirectoryOf(path)).ok());
  ASSERT_TRUE(files.WriteAtomically(path, text, 0600).ok()) << path;
}

Ran Tool::Run(std::vector<std::string> arguments) {
  std::istringstream in(input);
  std::ostringstream out, err;
  const auto random = MakeSystemRandom();
  Environment environment{
      .in = in,
      .out = out,
      .err = err,
      .out_is_terminal = terminal,
      .err_is_terminal = err_is_terminal,
      .files = files,
      .clock = clock,
      .random = *random,
      .variable = [](const std::string& name) -> std::optional<std::string> {
        if (name == "HOME") return "/home/li";
        if (name == "SLUICE_PROFILE") return "office";
        return std::nullopt;
      },
      .zone = China(),
      .connect = [this](const Profile&, Micros) { return gateway.Connect(); },
  };
  Ran ran;
  ran.code = cli::Run(environment, std::move(arguments));
  ran.out = out.str();
  ran.err = err.str();
  return ran;
}

v1::Receipt Tool::ReceiptOf(const v1::AuditEnvelope& envelope, int64_t index) {
  const std::string bytes = envelope.SerializeAsString();
  return audit::SignedBatch(kOrigin, static_cast<uint64_t>(index), {audit::LeafHash(bytes)},
                            LogKey())
      .ReceiptFor(0, bytes);
}

google::protobuf::Timestamp At(const std::string& text) {
  const auto time = ParseWhen(text, 0, absl::UTCTimeZone());
  EXPECT_TRUE(time.ok()) << text;
  return ToTimestamp(time.value_or(0));
}

}  // namespace sluice::cli
