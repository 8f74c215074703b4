// What a log hands to a witness, and the policy that says which witnesses count, of any bytes. What
// is read is written the same, or, of a policy, nothing is accepted that no key in it signed.
#include <cstdint>
#include <set>
#include <string>
#include <string_view>

#include "gateway/audit/tlog_policy.h"
#include "gateway/base/check.h"
#include "gateway/witness/add_checkpoint.h"

namespace sluice::witness {
namespace {

constexpr size_t kMostBytes = 256 << 10;
constexpr char kUnsigned[] =
    "gw1.gov.example/log\n0\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\n\n";

void ReadRequest(std::string_view bytes) {
  const auto request = ParseAddCheckpoint(bytes);
  if (!request.ok()) {
    SLUICE_CHECK(!request.status().message().empty());
    return;
  }
  SLUICE_CHECK(request->proof.size() <= kMostProofLines);
  const std::string written = FormatAddCheckpoint(*request);
  SLUICE_CHECK(written == bytes);
}

void ReadPolicy(std::string_view bytes) {
  const auto policy = audit::ParseTlogPolicy(bytes, "policy");
  if (!policy.ok()) {
    SLUICE_CHECK(!policy.status().message().empty());
    return;
  }
  std::set<std::string> all;
  for (const auto& witness : policy->witnesses) all.insert(witness.name);
  // All together are enough for any policy, and nobody for none but "none".
  SLUICE_CHECK(audit::IsQuorum(*policy, all));
  SLUICE_CHECK(audit::IsQuorum(*policy, {}) == policy->quorum.empty());
  SLUICE_CHECK(!audit::Judge(kUnsigned, *policy).ok());
  (void)audit::Judge(bytes, *policy);
}

}  // namespace
}  // namespace sluice::witness

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size > sluice::witness::kMostBytes) return 0;
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  sluice::witness::ReadRequest(bytes);
  sluice::witness::ReadPolicy(bytes);
  return 0;
}
