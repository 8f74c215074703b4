#include "cli/pack_page.h"

#include <string_view>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "cli/display.h"
#include "cli/pack_texts.h"
#include "cli/record_words.h"
#include "cli/times.h"
#include "cli/words.h"
#include "gateway/base/crypto.h"

namespace sluice::cli {
namespace {

// Values come from strangers.
std::string Html(std::string_view text) {
  std::string out;
  for (const char c : Harmless(text)) {
    switch (c) {
      case '&':
        out += "&amp;";
        break;
      case '<':
        out += "&lt;";
        break;
      case '>':
        out += "&gt;";
        break;
      case '"':
        out += "&quot;";
        break;
      case '\'':
        out += "&#39;";
        break;
      default:
        out.push_back(c);
    }
  }
  return out;
}

std::string FactRow(std::string_view chinese, std::string_view english, std::string_view value) {
  return absl::StrCat("<tr><th>", absl::string_view(chinese.data(), chinese.size()), "<br>",
                      absl::string_view(english.data(), english.size()), "</th><td>", Html(value),
                      "</td></tr>\n");
}

std::string FactsOf(const PackSummary& summary) {
  std::string facts = "<table class=\"facts\">\n";
  facts += FactRow("日志", "log", summary.origin);
  facts += FactRow("验证公钥 log.vkey", "verifier key", summary.key);
  facts += FactRow("公钥的书面核对码", "the key on paper", summary.paper);
  facts +=
      FactRow("检查点覆盖的记录数", "records under the checkpoint", absl::StrCat(summary.size));
  facts += FactRow("检查点根哈希", "root of the checkpoint", summary.root);
  facts += FactRow(
      "检查点上的其他签名", "other signatures on it",
      summary.other_signers.empty() ? "无 · none" : absl::StrJoin(summary.other_signers, ", "));
  facts += FactRow("查询条件", "what was asked", summary.asked);
  facts += FactRow("查询人、时间、查询记录", "who asked, when, its own record",
                   absl::StrCat(summary.reader, " · ", summary.read_at, " · #", summary.reading));
  facts += FactRow("查到的记录", "records found", absl::StrCat(summary.records));
  facts += FactRow("其中附有明细", "of these with their detail",
                   summary.without_details ? std::string("按要求不附 · left out on request")
                                           : absl::StrCat(summary.details));
  facts += FactRow("搜索范围", "searched",
                   summary.searched_to == 0 ? std::string("–")
                                            : absl::StrCat("#0 – #", summary.searched_to - 1));
  if (summary.erased > 0)
    facts += FactRow("范围内明细已销毁的记录", "records searched whose details are erased",
                     absl::StrCat(summary.erased));
  facts += FactRow("制作程序", "made by", summary.made_by);
  return facts + "</table>\n";
}

}  // namespace

std::string PackRow(int64_t index, const v1::AuditEnvelope& envelope,
                    const v1::AuditDetail* detail) {
  std::string row = absl::StrCat("<tr><td>", index, "</td>");
  const auto cell = [&row](const std::string& text) {
    absl::StrAppend(&row, "<td>", Html(text), "</td>");
  };
  cell(FormatZulu(ToMicros(envelope.time())));
  cell(ActorWords(envelope.actor()));
  cell(envelope.dataset());
  cell(envelope.purpose());
  cell(LawWords(envelope.basis()));
  cell(OutcomeWords(envelope));
  cell(CountWords(envelope));
  cell(detail == nullptr ? "–" : detail->case_reference());
  cell(detail == nullptr ? "–" : detail->end_user());
  absl::StrAppend(&row, "<td class=\"hash\">", HexEncode(envelope.detail_commitment()), "</td>");
  return row + "</tr>\n";
}

std::string PackPage(const PackSummary& summary, const std::string& rows) {
  const bool signers = !summary.other_signers.empty();
  return absl::StrCat(kPackHead, FactsOf(summary), kPackProvesZh,
                      signers ? kPackSignersZh : kPackNoSignersZh, kPackCheckZh, kPackProvesEn,
                      signers ? kPackSignersEn : kPackNoSignersEn, kPackCheckEn, kPackProgram,
                      kPackTable, rows, kPackEnd);
}

}  // namespace sluice::cli
