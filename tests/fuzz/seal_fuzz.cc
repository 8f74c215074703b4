// The seal of a log, of any bytes: what is read is written the same, and what holds says in its
// record what was signed.
#include <cstdint>
#include <string>
#include <string_view>

#include "gateway/audit/seal.h"
#include "gateway/base/check.h"

namespace sluice::audit {
namespace {

constexpr size_t kMostBytes = 256 << 10;

void ReadSeal(std::string_view bytes) {
  if (const auto statement = ParseSealStatement(bytes); statement.ok())
    SLUICE_CHECK(FormatSealStatement(*statement) == bytes);
  if (const auto signature = ParseSealSignature(bytes, "fuzz"); signature.ok())
    SLUICE_CHECK(FormatSealSignature(*signature) == bytes);
  const auto seal = ParseSeal(bytes, "fuzz");
  if (!seal.ok()) return;
  const auto info = SealInfoOf(*seal);
  if (!info.ok()) {
    SLUICE_CHECK(!info.status().message().empty());
    return;
  }
  SLUICE_CHECK(FormatSeal(*seal) == bytes);
  SLUICE_CHECK(CheckSealInfo(*info).ok());
  v1::SealInfo other = *info;
  other.set_size(info->size() + 1);
  SLUICE_CHECK(!CheckSealInfo(other).ok());
}

}  // namespace
}  // namespace sluice::audit

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size > sluice::audit::kMostBytes) return 0;
  sluice::audit::ReadSeal({reinterpret_cast<const char*>(data), size});
  return 0;
}
