// sluice count: how many rows match, by groups.
#include "absl/strings/str_cat.h"
#include "cli/access_options.h"
#include "cli/commands.h"
#include "cli/keep_receipt.h"
#include "cli/methods.h"
#include "cli/query_summary.h"
#include "cli/receipts.h"
#include "cli/rows_output.h"
#include "cli/words.h"
#include "gateway/base/error.h"
#include "gateway/records/row_batch.h"

namespace sluice::cli {
namespace {

struct CountOptions {
  AccessOptions access;
  std::string by;
};

std::string GroupsLine(const v1::CountResponse& response) {
  std::string line =
      absl::StrCat(Grouped(response.groups()), response.groups() == 1 ? " group" : " groups");
  if (response.suppressed() > 0)
    absl::StrAppend(&line, " · ", Grouped(response.suppressed()), " held back: fewer than ",
                    response.least_group(), " rows, or next to one that has");
  return line + "\n";
}

absl::Status RunCount(Session& session, const CountOptions& options) {
  v1::CountRequest request;
  FillClaims(options.access, request);
  request.set_request_id(options.access.request_id);
  request.set_filter(options.access.where);
  for (const auto field : absl::StrSplit(options.by, ',', absl::SkipWhitespace()))
    request.add_group_by(std::string(absl::StripAsciiWhitespace(field)));
  SLUICE_RETURN_IF_ERROR(ReadParameters(options.access.parameters, session.environment.files,
                                        session.environment.in, *request.mutable_parameters()));
  SLUICE_ASSIGN_OR_RETURN(const Profile* profile, session.GetProfile());
  const auto response = Ask(session, kCount, request);
  if (!response.ok()) return FromFailure(DescribeRefusal(response.status(), options.access));
  SLUICE_RETURN_IF_ERROR(CheckCount(request, *response, profile->log_key).status());
  const auto batch = records::DecodeRowBatch(response->payload());
  if (!batch.ok() || batch->rows() != response->groups())
    return LocalError("ANSWER_UNREADABLE",
                      "the gateway's numbers cannot be read; nothing is shown.");
  SLUICE_ASSIGN_OR_RETURN(const std::string kept, KeepInState(session, response->receipt()));
  RowsOutput rows(session);
  rows.Add(*batch);
  rows.End();
  session.environment.err << GroupsLine(*response)
                          << FormatGrantAndAudit(session, response->applied(), response->receipt(),
                                                 kept);
  return absl::OkStatus();
}

}  // namespace

void AddCountCommand(CLI::App& app, Invocation& invocation) {
  auto options = std::make_shared<CountOptions>();
  CLI::App* count = app.add_subcommand("count", "count rows of a dataset, by groups");
  AddClaimOptions(*count, options->access);
  AddFilterOptions(*count, options->access);
  AddRequestIdOption(*count, options->access);
  count->add_option("--by", options->by, "a,b: fields to group by; all rows together without it");
  count->callback([&invocation, options] {
    invocation.command = [options](Session& session) { return RunCount(session, *options); };
  });
}

}  // namespace sluice::cli
