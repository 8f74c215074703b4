#include "gateway/exchange/read_messages_testing.h"

#include "absl/strings/str_cat.h"
#include "gateway/audit/merkle.h"
#include "gateway/exchange/stream_batches.h"

namespace sluice::exchange {

std::string JsonLine(int64_t row) {
  return absl::StrCat("{\"number\":", row, ",\"name\":\"Name ", row, "\",\"person\":\"",
                      PersonOf(row), "\"}\n");
}

std::string JsonLines(int64_t rows) {
  std::string text;
  for (int64_t row = 0; row < rows; ++row) text += JsonLine(row);
  return text;
}

std::string RootOf(const std::vector<v1::ReadResponse>& messages) {
  audit::CompactRange tree;
  for (const v1::ReadResponse& message : messages) {
    if (!message.payload().empty())
      tree.Append(audit::LeafHash(AsBytes(Sha256(message.payload()))));
  }
  return std::string(AsBytes(tree.Root()));
}

std::vector<int64_t> Lengths(const std::vector<v1::ReadResponse>& messages) {
  std::vector<int64_t> lengths;
  for (const v1::ReadResponse& message : messages)
    if (!message.payload().empty()) lengths.push_back(message.payload().size());
  return lengths;
}

void Revoke(ReadWorld& world) {
  world.grant.set_revision(2);
  world.grant.set_state(v1::GRANT_STATE_REVOKED);
  world.Publish();
}

ReadWorld::Options SmallSteps() {
  ReadWorld::Options options;
  options.broker.step_rows = 2 * kBatchRows;
  return options;
}

}  // namespace sluice::exchange
