#include "cli/audit_reconcile.h"

#include <algorithm>
#include <set>

#include "absl/strings/str_cat.h"
#include "cli/display.h"
#include "cli/failure.h"
#include "cli/kept_receipts.h"
#include "cli/methods.h"
#include "cli/record_filter.h"
#include "cli/record_words.h"
#include "cli/times.h"
#include "gateway/audit/record_query.h"
#include "gateway/base/error.h"
#include "nlohmann/json.hpp"

namespace sluice::cli {
namespace {

struct ReconcileOptions {
  FilterOptions filter;
  std::string folder;
};

struct Difference {
  int64_t index = 0;
  std::string file;  // of the receipt
  std::string what;
  v1::AuditEnvelope envelope;
};

// Records that let something go to whoever holds receipts. A stream is its end.
bool LetsGo(const v1::AuditEnvelope& envelope) {
  return audit::IsAnswer(envelope.kind()) || envelope.kind() == v1::RECORD_KIND_CLOSED ||
         envelope.kind() == v1::RECORD_KIND_ABANDONED;
}

bool WithinFilter(const v1::RecordFilter& filter, const v1::AuditEnvelope& envelope) {
  const Micros time = ToMicros(envelope.time());
  return (!filter.has_since() || time >= ToMicros(filter.since())) &&
         (!filter.has_until() || time < ToMicros(filter.until()));
}

// What the receipts prove, and the log does not have, or has otherwise.
absl::Status AddLacks(Session& session, const std::vector<KeptReceipt>& receipts,
                      const v1::RecordFilter& filter, const audit::VerifierKey& key,
                      ProvenRecords& records, std::vector<Difference>& differences) {
  for (const KeptReceipt& kept : receipts) {
    if (!kept.holds.ok()) {
      differences.push_back({-1, kept.file, "the receipt does not hold", {}});
      continue;
    }
    for (const v1::Receipt& receipt : kept.all) {
      v1::AuditEnvelope envelope;
      envelope.ParseFromString(receipt.envelope());
      if (!WithinFilter(filter, envelope)) continue;
      if (!records.envelopes.contains(receipt.index()))
        SLUICE_RETURN_IF_ERROR(AddProvenByGateway(session, receipt.index(), key, records));
      const auto found = records.envelopes.find(receipt.index());
      if (found == records.envelopes.end())
        differences.push_back({receipt.index(), kept.file, "THE LOG LACKS IT", envelope});
      else if (found->second != receipt.envelope())
        differences.push_back({receipt.index(), kept.file, "THE LOG HAS ANOTHER", envelope});
    }
  }
  return absl::OkStatus();
}

// What the log says was let go, and no receipt proves.
absl::Status AddWithoutReceipt(const std::vector<KeptReceipt>& receipts,
                               const ProvenRecords& records, std::vector<Difference>& differences) {
  std::set<int64_t> held, kept_back;
  for (const KeptReceipt& kept : receipts)
    for (const v1::Receipt& receipt : kept.all) held.insert(receipt.index());
  std::vector<std::pair<int64_t, v1::AuditEnvelope>> let_go;
  for (const auto& [index, bytes] : records.envelopes) {
    v1::AuditEnvelope envelope;
    if (!envelope.ParseFromString(bytes))
      return LocalError("PROOF_BROKEN", absl::StrCat("#", index, " cannot be read."));
    if (envelope.kind() == v1::RECORD_KIND_FAILED && envelope.repeats() >= 0)
      kept_back.insert(envelope.repeats());
    if (LetsGo(envelope)) let_go.emplace_back(index, std::move(envelope));
  }
  for (auto& [index, envelope] : let_go) {
    const bool of_stream = envelope.has_opened() && held.contains(envelope.opened());
    if (held.contains(index) || of_stream || kept_back.contains(index)) continue;
    differences.push_back({index, "", "no receipt here", std::move(envelope)});
  }
  return absl::OkStatus();
}

void PrintDifferences(Session& session, const std::vector<Difference>& differences) {
  Environment& environment = session.environment;
  if (session.format() == Format::kJson) {
    for (const Difference& difference : differences) {
      nlohmann::ordered_json json;
      if (difference.index >= 0) json["index"] = difference.index;
      if (!difference.file.empty()) json["file"] = difference.file;
      json["difference"] = difference.what;
      environment.out << json.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace)
                      << '\n';
    }
    return;
  }
  if (differences.empty()) return;
  std::vector<std::vector<std::string>> rows;
  for (const Difference& difference : differences) {
    const v1::AuditEnvelope& envelope = difference.envelope;
    const bool known = difference.index >= 0;
    rows.push_back({known ? absl::StrCat(difference.index) : "–",
                    known ? FormatShort(ToMicros(envelope.time()), environment.zone) : "–",
                    known ? ActorWords(envelope.actor()) : "–", envelope.dataset(),
                    known ? CountWords(envelope) : "–", difference.what,
                    difference.file.empty() ? "–" : difference.file});
  }
  const std::string offset = FormatOffset(environment.clock.Now(), environment.zone);
  session.PrintList({{"#", true},
                     {absl::StrCat(session.Label("time"), " ", offset)},
                     {"consumer"},
                     {"dataset"},
                     {"rows", true},
                     {"difference"},
                     {"receipt"}},
                    rows, std::vector<v1::AuditEnvelope>());
}

absl::Status Reconcile(Session& session, const ReconcileOptions& options) {
  Environment& environment = session.environment;
  SLUICE_ASSIGN_OR_RETURN(const Profile* profile, session.GetProfile());
  SLUICE_ASSIGN_OR_RETURN(v1::RecordFilter filter, MakeFilter(environment, options.filter));
  std::string folder = options.folder;
  if (folder.empty()) {
    if (StateFolder(environment.variable).empty())
      return UsageError("there is no folder of receipts: neither HOME nor XDG_STATE_HOME is set.",
                        "sluice audit reconcile FOLDER");
    folder = JoinPath(StateFolder(environment.variable), "receipts");
  }
  SLUICE_ASSIGN_OR_RETURN(const std::vector<KeptReceipt> receipts,
                          ReadKeptReceipts(environment.files, folder, profile->log_key));
  if (filter.agency().empty() && filter.principal().empty()) {
    SLUICE_ASSIGN_OR_RETURN(const auto who, Ask(session, kWhoAmI, {}));
    filter.set_agency(who.agency());
  }
  SLUICE_ASSIGN_OR_RETURN(ProvenRecords records,
                          ProvenByGateway(session, filter, profile->log_key));
  std::vector<Difference> differences;
  SLUICE_RETURN_IF_ERROR(AddWithoutReceipt(receipts, records, differences));
  SLUICE_RETURN_IF_ERROR(
      AddLacks(session, receipts, filter, profile->log_key, records, differences));
  std::stable_sort(
      differences.begin(), differences.end(),
      [](const Difference& one, const Difference& other) { return one.index < other.index; });
  PrintDifferences(session, differences);
  environment.out.flush();
  environment.err << receipts.size() << (receipts.size() == 1 ? " receipt" : " receipts")
                  << " held against the log's head of size " << records.size << '\n';
  if (differences.empty()) return absl::OkStatus();
  return LocalError(
      "RECEIPTS_DIFFER",
      absl::StrCat(differences.size(), differences.size() == 1 ? " difference" : " differences",
                   " between the receipts and the log."),
      {},
      "a record that the log lacks is evidence: keep the receipt for the auditor; where no receipt "
      "is here, ask who used the certificate: sluice audit show INDEX");
}

}  // namespace

void AddAuditReconcileCommand(CLI::App& audit, Invocation& invocation) {
  auto options = std::make_shared<ReconcileOptions>();
  CLI::App* command = audit.add_subcommand(
      "reconcile", "what the log says was let go to us, against the receipts that we have");
  command->add_option("folder", options->folder, "of the receipts; those that query keeps")
      ->type_name("DIR");
  command->add_option("--since", options->filter.since, "today, 2026-11-23, 2h, or a whole time");
  command->add_option("--until", options->filter.until, "not included");
  command->add_option("--system", options->filter.system,
                      "who holds the receipts: AGENCY/SYSTEM; without it, all of the own agency");
  command->callback([&invocation, options] {
    invocation.command = [options](Session& session) { return Reconcile(session, *options); };
  });
}

}  // namespace sluice::cli
