#include "gateway/exchange/log_feed.h"

#include <map>

namespace sluice::exchange {

void RecordReading(const LogReadingParts& parts, const Call& call, const Reading& reading,
                   std::function<void(absl::StatusOr<int64_t>)> answer) {
  audit::Draft draft = DraftFor(v1::RECORD_KIND_READ, call);
  draft.envelope.set_read_from(reading.from);
  draft.envelope.set_read_to(reading.to);
  draft.envelope.set_count(reading.shown);
  draft.envelope.set_reason(reading.ended);
  draft.envelope.set_subjects_asked(reading.asked.empty() ? v1::SUBJECT_SCOPE_NONE
                                                          : v1::SUBJECT_SCOPE_LISTED);
  draft.envelope.set_subjects_released(v1::SUBJECT_SCOPE_NONE);
  draft.detail.set_search_json(reading.request_json);
  draft.detail.mutable_asked()->Assign(reading.asked.begin(), reading.asked.end());
  auto sealed = parts.sealer.Seal(std::move(draft));
  if (!sealed.ok()) return answer(sealed.status());
  parts.log.Append(*std::move(sealed),
                   [answer = std::move(answer)](absl::StatusOr<v1::Receipt> receipt) {
                     if (!receipt.ok()) return answer(receipt.status());
                     answer(receipt->index());
                   });
}

audit::KeyForOpening KeysOnce(const audit::DetailKeys& keys) {
  auto known = std::make_shared<std::map<std::string, absl::StatusOr<std::string>>>();
  return [&keys, known](const std::string& name) {
    const auto found = known->find(name);
    if (found != known->end()) return found->second;
    return known->emplace(name, keys.ForOpening(name)).first->second;
  };
}

}  // namespace sluice::exchange
