// sluice access check: whether a call would pass now, without data. Recorded, and not counted.
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "cli/access_commands.h"
#include "cli/access_options.h"
#include "cli/methods.h"
#include "cli/query_summary.h"
#include "cli/receipts.h"
#include "cli/share_options.h"
#include "gateway/base/error.h"

namespace sluice::cli {
namespace {

struct CheckOptions {
  AccessOptions access;
  std::string mode = "query";
  int32_t limit = 0;
};

FailureLines Lines(const CheckOptions& options, const v1::CheckResponse& response) {
  const v1::Applied& applied = response.applied();
  std::vector<std::string> fields;
  for (const v1::AppliedField& field : applied.fields()) fields.push_back(field.name());
  FailureLines lines = {
      {"passes", absl::StrCat("a ", options.mode, " of ", options.access.dataset, " for ",
                              options.access.purpose, " would be answered now")},
      {"fields", absl::StrJoin(fields, ", ")}};
  if (std::string masked = MaskedWords(applied); !masked.empty())
    lines.emplace_back("masked", std::move(masked));
  if (applied.left_out_size() > 0)
    lines.emplace_back("left out", absl::StrJoin(applied.left_out(), ", "));
  lines.emplace_back("grant", GrantWords(applied));
  return lines;
}

absl::Status Check(Session& session, const CheckOptions& options) {
  v1::CheckRequest request;
  SLUICE_RETURN_IF_ERROR(FillRequest(options.access, session, request));
  request.set_mode(ModeFromWord(options.mode));
  request.set_page_size(options.limit);
  SLUICE_ASSIGN_OR_RETURN(const Profile* const profile, session.GetProfile());
  const auto response = Ask(session, kCheck, request);
  if (!response.ok()) return FromFailure(DescribeRefusal(response.status(), options.access));
  const auto envelope = CheckChecked(request, *response, profile->log_key);
  if (!envelope.ok()) return envelope.status();
  session.PrintOne(Lines(options, *response), *response);
  session.environment.out.flush();
  session.environment.err << "this check is recorded as #" << response->receipt().index() << " of "
                          << Harmless(response->receipt().origin()) << "\n";
  return absl::OkStatus();
}

}  // namespace

void AddAccessCheckCommand(CLI::App& group, Invocation& invocation) {
  auto options = std::make_shared<CheckOptions>();
  CLI::App* check =
      group.add_subcommand("check", "whether a call would pass now: no data; recorded");
  AddAccessOptions(*check, options->access);
  check->add_option("--mode", options->mode, "which call (query)")
      ->check(CLI::IsMember({"query", "read", "match", "count"}));
  check->add_option("--limit", options->limit, "rows that a page would have")
      ->check(CLI::Range(0, 10000));
  check->callback([&invocation, options] {
    invocation.command = [options](Session& session) { return Check(session, *options); };
  });
}

}  // namespace sluice::cli
