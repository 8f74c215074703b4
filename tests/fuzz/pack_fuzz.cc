// An evidence pack of any bytes: no archive bursts or loops, and nothing passes that no key signed.
#include <cstdint>
#include <string>
#include <string_view>

#include "cli/pack_check.h"
#include "gateway/base/check.h"
#include "gateway/base/crypto.h"
#include "gateway/base/fake_file_system.h"

namespace sluice::cli {
namespace {

constexpr size_t kMostBytes = 256 << 10;
constexpr char kPackPath[] = "/pack.zip";

audit::VerifierKey KeyOfNobody() {
  const auto signing = SigningKey::FromSeed(std::string(32, 's'));
  SLUICE_CHECK(signing.ok());
  auto key = audit::MakeVerifierKey("gw1.gov.example/log", audit::KeyType::kEd25519,
                                    signing->public_key());
  SLUICE_CHECK(key.ok());
  return *std::move(key);
}

void CheckAny(std::string_view bytes) {
  static const auto* const key = new audit::VerifierKey(KeyOfNobody());
  FakeFileSystem files(std::map<std::string, std::string>{{kPackPath, std::string(bytes)}});
  const auto report = CheckPack(files, kPackPath, *key, nullptr);
  SLUICE_CHECK(!report.ok() && !report.status().message().empty());
}

}  // namespace
}  // namespace sluice::cli

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size > sluice::cli::kMostBytes) return 0;
  sluice::cli::CheckAny({reinterpret_cast<const char*>(data), size});
  return 0;
}
