// sluice access approve|preview: an owner gives what was asked for, or less of it; and sees before
// what the consumer would see.
#include <optional>

#include "absl/strings/str_cat.h"
#include "cli/access_commands.h"
#include "cli/apply_file.h"
#include "cli/grant_overlap.h"
#include "cli/grant_show.h"
#include "cli/json.h"
#include "cli/keep_receipt.h"
#include "cli/methods.h"
#include "cli/query_summary.h"
#include "cli/receipts.h"
#include "cli/rows_output.h"
#include "cli/terms.h"
#include "cli/words.h"
#include "gateway/base/error.h"
#include "gateway/sharing/grant_yaml.h"
#include "gateway/sharing/request_yaml.h"

namespace sluice::cli {
namespace {

struct DecisionOptions {
  std::string id;
  TermsOptions terms;
  int32_t limit = 0;
  bool dry_run = false;
};

// The terms as said, about the request as it is now.
struct Said {
  v1::AccessRequest request;
  v1::Grant terms;
  std::optional<sharing::TermsFile> file;
};

absl::StatusOr<Said> ReadTerms(Session& session, const DecisionOptions& options) {
  Said said;
  if (!options.terms.file.empty()) {
    SLUICE_ASSIGN_OR_RETURN(const std::string text,
                            ReadDefinition(session, {options.terms.file, false}));
    auto file = sharing::ParseTermsYaml(text, options.terms.file);
    if (!file.ok()) return Listed(file.status());
    said.file = *std::move(file);
  }
  v1::GetAccessRequestRequest request;
  request.set_id(options.id);
  SLUICE_ASSIGN_OR_RETURN(const auto asked, Ask(session, kGetAccessRequest, request));
  said.request = asked.request();
  const Environment& environment = session.environment;
  SLUICE_ASSIGN_OR_RETURN(
      said.terms, BuildTerms(options.terms, said.file ? said.file->terms : v1::Grant(), asked,
                             environment.clock.Now(), environment.zone));
  return said;
}

absl::Status Explained(const absl::Status& status, const DecisionOptions& options,
                       const Said& said) {
  if (!said.file) return status;
  return Placed(status, said.file->document, {options.terms.file, false}, "terms",
                sharing::GrantYamlNames());
}

absl::Status Approve(Session& session, const DecisionOptions& options) {
  SLUICE_ASSIGN_OR_RETURN(const Said said, ReadTerms(session, options));
  v1::ApproveAccessRequestRequest request;
  request.set_id(options.id);
  *request.mutable_terms() = said.terms;
  // What was read is what is approved: refused where the request is another by now.
  request.set_etag(said.request.etag());
  request.set_dry_run(options.dry_run);
  const auto response = Ask(session, kApproveAccessRequest, request);
  if (!response.ok()) return Explained(response.status(), options, said);
  std::ostream& out = session.environment.out;
  if (session.format() != Format::kTable) {
    out << ToJsonLine(*response) << '\n';
    return absl::OkStatus();
  }
  out << "request " << Harmless(options.id)
      << (options.dry_run ? ", if approved (dry run: nothing was changed):\n" : ", approved:\n");
  GrantPage page;
  *page.answer.mutable_grant() = response->grant();
  *page.answer.mutable_request() = response->request();
  if (options.dry_run && page.answer.grant().id().empty())
    page.answer.mutable_grant()->set_id("(new)");
  out << FormatGrant(session, page) << OverlapNotes(session, response->grant());
  if (options.dry_run) out << "next      the same without --dry-run\n";
  return absl::OkStatus();
}

absl::Status Preview(Session& session, const DecisionOptions& options) {
  SLUICE_ASSIGN_OR_RETURN(const Said said, ReadTerms(session, options));
  v1::PreviewRequest request;
  request.set_access_request(options.id);
  *request.mutable_terms() = said.terms;
  request.set_limit(options.limit);
  SLUICE_ASSIGN_OR_RETURN(const Profile* const profile, session.GetProfile());
  const Micros started = session.environment.clock.Monotonic();
  const auto response = Ask(session, kPreview, request);
  if (!response.ok()) return Explained(response.status(), options, said);
  const auto envelope = CheckPreview(request, *response, profile->log_key);
  if (!envelope.ok()) return envelope.status();
  const auto batch = records::DecodeRowBatch(response->payload());
  if (!batch.ok() || batch->rows() != response->rows())
    return LocalError("ANSWER_UNREADABLE", "the gateway's rows cannot be read; nothing is shown.");
  QueryTotals totals;
  SLUICE_ASSIGN_OR_RETURN(totals.receipt, KeepInState(session, response->receipt()));
  totals.pages = 1;
  totals.rows = response->rows();
  totals.elapsed = session.environment.clock.Monotonic() - started;
  totals.first_index = totals.last_index = response->receipt().index();
  RowsOutput rows(session);
  rows.Add(*batch);
  rows.End();
  session.environment.err << FormatSummary(session, *response, totals) << "next     sluice access "
                          << "approve " << ShellQuoted(options.id) << " with the same terms\n";
  return absl::OkStatus();
}

}  // namespace

void AddAccessTermsCommands(CLI::App& group, Invocation& invocation) {
  const auto add = [&](const char* name, const char* help,
                       absl::Status (*run)(Session&, const DecisionOptions&)) {
    auto options = std::make_shared<DecisionOptions>();
    CLI::App* command = group.add_subcommand(name, help);
    command->add_option("id", options->id, "such as r-7q4m2k")->required();
    AddTermsOptions(*command, options->terms);
    command->callback([&invocation, options, run] {
      invocation.command = [options, run](Session& s) { return run(s, *options); };
    });
    return std::pair(command, options);
  };
  const auto [preview, preview_options] =
      add("preview", "a few rows as the consumer would see them; recorded", Preview);
  preview->add_option("--limit", preview_options->limit, "rows (3)")->check(CLI::Range(1, 20));
  const auto [approve, approve_options] =
      add("approve", "make it a grant, as asked or on your terms", Approve);
  approve->add_flag("--dry-run", approve_options->dry_run, "show the grant, and change nothing");
}

}  // namespace sluice::cli
