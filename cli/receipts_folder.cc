#include "cli/receipts_folder.h"

#include <algorithm>
#include <optional>

#include "absl/strings/str_cat.h"
#include "cli/display.h"
#include "cli/failure.h"
#include "cli/kept_receipts.h"
#include "cli/record_words.h"
#include "cli/times.h"
#include "gateway/base/error.h"
#include "nlohmann/json.hpp"

namespace sluice::cli {
namespace {

// Everything that the receipts prove, looked for in one reading of the gateway's log, and then by
// one each for what that did not show (steps of streams).
absl::StatusOr<ProvenRecords> LookUp(Session& session, const std::vector<KeptReceipt>& receipts,
                                     const audit::VerifierKey& key, const ReceiptsLog& log) {
  std::vector<int64_t> indices;
  std::optional<Micros> first, last;
  for (const KeptReceipt& kept : receipts) {
    for (const v1::Receipt& receipt : kept.all) {
      v1::AuditEnvelope envelope;
      envelope.ParseFromString(receipt.envelope());
      const Micros time = ToMicros(envelope.time());
      first = std::min(first.value_or(time), time);
      last = std::max(last.value_or(time), time);
      indices.push_back(receipt.index());
    }
  }
  if (!log.copy.empty()) return ProvenByCopy(session.environment.files, log.copy, indices, key);
  if (indices.empty()) return ProvenRecords();
  v1::RecordFilter filter;
  *filter.mutable_since() = ToTimestamp(*first);
  *filter.mutable_until() = ToTimestamp(*last + 1);
  SLUICE_ASSIGN_OR_RETURN(ProvenRecords records, ProvenByGateway(session, filter, key));
  for (const int64_t index : indices)
    if (!records.envelopes.contains(index))
      SLUICE_RETURN_IF_ERROR(AddProvenByGateway(session, index, key, records));
  return records;
}

// "yes", or what is wrong.
std::string InLog(const KeptReceipt& kept, const ProvenRecords& records) {
  for (const v1::Receipt& receipt : kept.all) {
    const auto found = records.envelopes.find(receipt.index());
    if (found == records.envelopes.end()) return absl::StrCat("#", receipt.index(), " NOT THERE");
    if (found->second != receipt.envelope())
      return absl::StrCat("#", receipt.index(), " IS ANOTHER RECORD");
  }
  return "yes";
}

struct ReceiptLine {
  std::string file, index, time, dataset, rows, state, in_log, data;
  bool sound = true;
};

}  // namespace

absl::Status CheckReceiptsFolder(Session& session, const std::string& folder,
                                 const audit::VerifierKey& key, const ReceiptsLog& log) {
  Environment& environment = session.environment;
  SLUICE_ASSIGN_OR_RETURN(const std::vector<KeptReceipt> receipts,
                          ReadKeptReceipts(environment.files, folder, key));
  if (receipts.empty())
    return UsageError(absl::StrCat("there is no receipt in ", folder, "."),
                      "name the folder that query or read kept them in");
  std::optional<ProvenRecords> records;
  if (log.gateway || !log.copy.empty()) {
    SLUICE_ASSIGN_OR_RETURN(records, LookUp(session, receipts, key, log));
  }
  std::vector<ReceiptLine> lines;
  int bad = 0;
  for (const KeptReceipt& kept : receipts) {
    ReceiptLine line;
    line.file = kept.file;
    if (!kept.holds.ok()) {
      line.state = "BROKEN: " + DescribeFailure(kept.holds).sentence;
      line.sound = false;
    } else {
      line.index = absl::StrCat(kept.newest.index());
      line.time = FormatShort(ToMicros(kept.envelope.time()), environment.zone);
      line.dataset = kept.envelope.dataset();
      line.rows = CountWords(kept.envelope);
      line.state = "holds";
      bool changed = false;
      SLUICE_ASSIGN_OR_RETURN(line.data,
                              DataOfReceipt(environment.files, folder, kept, key, &changed));
      if (changed) line.data += " WAS CHANGED";
      line.sound = !changed;
      if (records) {
        line.in_log = InLog(kept, *records);
        line.sound = line.sound && line.in_log == "yes";
      }
    }
    if (!line.sound) ++bad;
    lines.push_back(std::move(line));
  }

  if (session.format() == Format::kJson) {
    for (const ReceiptLine& line : lines) {
      nlohmann::ordered_json json;
      json["file"] = line.file;
      if (!line.index.empty()) json["index"] = std::stoll(line.index);
      json["receipt"] = line.state;
      if (!line.in_log.empty()) json["in_log"] = line.in_log;
      if (!line.data.empty()) json["data"] = line.data;
      json["sound"] = line.sound;
      environment.out << json.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace)
                      << '\n';
    }
  } else {
    std::vector<std::vector<std::string>> rows;
    for (const ReceiptLine& line : lines)
      rows.push_back({line.file, line.index, line.time, line.dataset, line.rows, line.state,
                      line.in_log.empty() ? "–" : line.in_log,
                      line.data.empty() ? "–" : line.data});
    const std::string offset = FormatOffset(environment.clock.Now(), environment.zone);
    session.PrintList({{"file"},
                       {"#", true},
                       {absl::StrCat(session.Label("time"), " ", offset)},
                       {"dataset"},
                       {"rows", true},
                       {"receipt"},
                       {"in the log"},
                       {"data"}},
                      rows, std::vector<v1::AuditEnvelope>());
  }
  environment.out.flush();
  environment.err << lines.size() << (lines.size() == 1 ? " receipt" : " receipts");
  if (records) environment.err << " · held against the log's head of size " << records->size;
  environment.err << '\n';
  if (bad == 0) return absl::OkStatus();
  return LocalError(
      "RECEIPT_BROKEN",
      absl::StrCat(bad, bad == 1 ? " receipt does not hold." : " receipts do not hold."), {},
      "keep the folder as it is; a receipt that holds, and whose record is not in the "
      "log, is evidence against the log: show it to the auditor");
}

}  // namespace sluice::cli
