#include "cli/record_words.h"

#include <algorithm>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "cli/display.h"
#include "cli/json.h"
#include "cli/times.h"
#include "cli/words.h"
#include "gateway/audit/record_query.h"
#include "gateway/base/crypto.h"
#include "gateway/base/error.h"

namespace sluice::cli {
namespace {

// Links to other records; minus one is none, and zero may be one.
std::string Links(const v1::AuditEnvelope& envelope) {
  std::string links;
  if (envelope.first_page() >= 0) absl::StrAppend(&links, ", page of #", envelope.first_page());
  if (envelope.repeats() >= 0) absl::StrAppend(&links, ", repeats #", envelope.repeats());
  if (envelope.has_continues())
    absl::StrAppend(&links, ", continues #", envelope.continues().previous());
  return links;
}

// "3 min", "12 s".
std::string Lasted(Micros time) {
  if (time < 2 * kMinute) return absl::StrCat(std::max<Micros>(time, 0) / kSecond, " s");
  if (time < 2 * kHour) return absl::StrCat(time / kMinute, " min");
  return absl::StrCat(time / kHour, " h");
}

}  // namespace

std::string ActorWords(const v1::Actor& actor) { return PrincipalWords(actor.principal()); }

std::string KindWord(v1::RecordKind kind) {
  const auto* value = v1::RecordKind_descriptor()->FindValueByNumber(kind);
  return value == nullptr ? absl::StrCat("kind ", static_cast<int>(kind))
                          : absl::AsciiStrToLower(EnumWord(*value));
}

v1::RecordKind KindFromWord(std::string_view word) {
  const auto* type = v1::RecordKind_descriptor();
  for (int i = 1; i < type->value_count(); ++i) {
    const auto kind = static_cast<v1::RecordKind>(type->value(i)->number());
    if (KindWord(kind) == absl::AsciiStrToLower(absl::string_view(word.data(), word.size())))
      return kind;
  }
  return v1::RECORD_KIND_UNSPECIFIED;
}

std::string OutcomeWords(const v1::AuditEnvelope& envelope) {
  switch (envelope.kind()) {
    case v1::RECORD_KIND_RELEASED:
      return "released" + Links(envelope);
    case v1::RECORD_KIND_DENIED:
      return "denied " + ReasonName(envelope.reason());
    case v1::RECORD_KIND_DENIALS:
      return absl::StrCat("denied ", ReasonName(envelope.reason()), ", ", envelope.count(),
                          " in a second");
    case v1::RECORD_KIND_FAILED:
      return "failed " + ReasonName(envelope.reason());
    case v1::RECORD_KIND_OPENED:
      return "stream opened" + Links(envelope);
    case v1::RECORD_KIND_PROGRESS:
      return absl::StrCat("stream #", envelope.opened(), ", step ", envelope.steps());
    case v1::RECORD_KIND_CLOSED: {
      const std::string lasted =
          Lasted(ToMicros(envelope.time()) - ToMicros(envelope.opened_time()));
      return envelope.reason() == v1::REASON_UNSPECIFIED
                 ? "released, stream " + lasted
                 : absl::StrCat("cut ", ReasonName(envelope.reason()), ", stream ", lasted);
    }
    case v1::RECORD_KIND_ABANDONED:
      return absl::StrCat("ABANDONED, stream #", envelope.opened());
    case v1::RECORD_KIND_CHANGED:
      return absl::StrCat(envelope.action(), " ", envelope.resource_kind(), " ",
                          envelope.resource_name());
    case v1::RECORD_KIND_READ:
      return envelope.read_to() > envelope.read_from()
                 ? absl::StrCat("read #", envelope.read_from(), " to #", envelope.read_to() - 1)
                 : "read";
    case v1::RECORD_KIND_STARTED:
      return absl::StrCat("started ", envelope.run().version(),
                          envelope.run().clean() ? "" : ", the run before ended without a stop");
    case v1::RECORD_KIND_PREVIEWED:
      return absl::StrCat("previewed ", envelope.resource_name());
    case v1::RECORD_KIND_MATCHED:
      return absl::StrCat("matched, ", envelope.match_misses(), " of ", envelope.count(),
                          " not a match", Links(envelope));
    case v1::RECORD_KIND_COUNTED:
      return "counted" + Links(envelope);
    case v1::RECORD_KIND_SEALED:
      return absl::StrCat("sealed ", envelope.seal().origin(), " at ", envelope.seal().size(),
                          " records");
    default:
      return KindWord(envelope.kind());
  }
}

std::string CountWords(const v1::AuditEnvelope& envelope) {
  switch (envelope.kind()) {
    case v1::RECORD_KIND_RELEASED:
    case v1::RECORD_KIND_PREVIEWED:
    case v1::RECORD_KIND_CLOSED:
      return absl::StrCat(envelope.count());
    case v1::RECORD_KIND_PROGRESS:
    case v1::RECORD_KIND_ABANDONED:
      return absl::StrCat("≤", envelope.count());
    default:
      return "–";
  }
}

FailureLines EnvelopeLines(const v1::AuditEnvelope& envelope) {
  FailureLines lines;
  const auto add = [&lines](const char* label, const std::string& text) {
    if (!text.empty()) lines.emplace_back(label, text);
  };
  add("outcome", OutcomeWords(envelope));
  add("time",
      FormatZulu(ToMicros(envelope.time())) +
          (envelope.clock() == v1::CLOCK_QUALITY_SYNCHRONISED ? "" : ", clock not synchronised"));
  add("actor", envelope.actor().principal());
  if (!envelope.dataset().empty())
    add("dataset", absl::StrCat(envelope.dataset(), ", revision ", envelope.dataset_revision()));
  if (!envelope.grant().empty())
    add("grant", absl::StrCat(envelope.grant(), ", revision ", envelope.grant_revision()));
  add("purpose", envelope.purpose());
  add("law", LawWords(envelope.basis()));
  if (audit::IsAnswer(envelope.kind())) {
    const char* counted = "rows";
    if (envelope.kind() == v1::RECORD_KIND_MATCHED) counted = "items";
    if (envelope.kind() == v1::RECORD_KIND_COUNTED) counted = "groups";
    add(counted, Grouped(envelope.count()));
    add("payload", absl::StrCat(envelope.payload_bytes(), " bytes of ", envelope.media_type()));
    add("sha256", HexEncode(envelope.digest()));
  }
  if (envelope.has_continues()) {
    const v1::StreamStart& start = envelope.continues();
    add("continues",
        absl::StrCat("#", start.previous(), ", of the stream of #", start.first(), ", behind ",
                     Grouped(start.rows()), " rows in ", start.batches(), " batches"));
  }
  if (envelope.has_opened()) {
    add("stream", absl::StrCat("opened by #", envelope.opened(), " at ",
                               FormatZulu(ToMicros(envelope.opened_time()))));
    const char* most = envelope.kind() == v1::RECORD_KIND_CLOSED ? "" : " at most";
    add("rows", Grouped(envelope.count()) + most);
    add("payload", absl::StrCat(envelope.payload_bytes(), " bytes of ", envelope.media_type(),
                                " in ", envelope.batches(), " batches", most));
    add("root", HexEncode(envelope.digest()));
  }
  return lines;
}

}  // namespace sluice::cli
