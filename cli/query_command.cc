// sluice query: asks for records page by page, checks each page's receipt before any of it is
// shown, and keeps the receipts.
#include <algorithm>
#include <optional>

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

// A page asked for when --limit says how many rows are wanted: what grants commonly allow.
constexpr int64_t kPageRows = 100;

struct QueryOptions {
  AccessOptions access;
  std::optional<int64_t> limit;
  int32_t page_size = 0;
  std::string save_payload;
};

std::string Again(const QueryOptions& options, const std::string& request_id) {
  std::string line = CommandAgain("query", options.access);
  if (options.limit) absl::StrAppend(&line, " --limit ", *options.limit);
  if (options.page_size > 0) absl::StrAppend(&line, " --page-size ", options.page_size);
  if (!request_id.empty()) absl::StrAppend(&line, " --request-id ", ShellQuoted(request_id));
  return line;
}

class Query {
 public:
  Query(Session& session, const QueryOptions& options)
      : session_(session), options_(options), rows_(session) {}

  absl::Status Run() {
    SLUICE_RETURN_IF_ERROR(Prepare());
    SLUICE_ASSIGN_OR_RETURN(profile_, session_.GetProfile());
    const Micros started = session_.environment.clock.Monotonic();
    do {
      SLUICE_RETURN_IF_ERROR(OnePage());
    } while (!response_.next_page_token().empty() && Wanted() > 0);
    totals_.more = !response_.next_page_token().empty();
    totals_.elapsed = session_.environment.clock.Monotonic() - started;
    rows_.End();
    session_.environment.err << FormatSummary(session_, response_, totals_);
    return absl::OkStatus();
  }

 private:
  absl::Status Prepare() {
    if (options_.limit && *options_.limit < 0)
      return UsageError("--limit is a number of rows; 0 means all.", "--limit 100");
    // One size for all pages: a page token belongs to a request with the same one.
    int64_t size = options_.page_size;
    if (size == 0 && options_.limit && *options_.limit > 0)
      size = std::min(*options_.limit, kPageRows);
    request_.set_page_size(static_cast<int32_t>(size));
    return FillRequest(options_.access, session_, request_);
  }

  // Rows still wanted; -1 where all are.
  int64_t Wanted() const {
    if (!options_.limit) return totals_.pages == 0 ? 1 : 0;
    return *options_.limit == 0 ? INT64_MAX : *options_.limit - totals_.rows;
  }

  absl::Status OnePage() {
    const bool first = totals_.pages == 0;
    request_.set_request_id(first && !options_.access.request_id.empty()
                                ? options_.access.request_id
                                : HexEncode(session_.environment.random.Bytes(16)));
    request_.set_page_token(response_.next_page_token());
    auto response = Ask(session_, kQuery, request_);
    if (!response.ok()) return Explained(response.status());
    response_ = *std::move(response);
    SLUICE_ASSIGN_OR_RETURN(const v1::AuditEnvelope envelope,
                            CheckAnswer(request_, response_, profile_->log_key));
    const auto batch = records::DecodeRowBatch(response_.payload());
    if (!batch.ok() || batch->rows() != response_.rows())
      return LocalError("ANSWER_UNREADABLE",
                        "the gateway's rows cannot be read; nothing is shown.");
    SLUICE_RETURN_IF_ERROR(Keep());
    totals_.rows += batch->rows();
    rows_.Add(*batch);
    return absl::OkStatus();
  }

  // What may be tried again can be: the access stays the same one.
  absl::Status Explained(const absl::Status& status) const {
    Failure failure = DescribeRefusal(status, options_.access);
    if (failure.exit_code != kTryLater) return FromFailure(std::move(failure));
    const std::string again =
        Again(options_, totals_.pages == 0 ? request_.request_id() : std::string());
    const auto retry = std::find_if(failure.lines.begin(), failure.lines.end(),
                                    [](const auto& line) { return line.first == "retry"; });
    if (retry != failure.lines.end())
      retry->second += ": " + again;
    else
      failure.lines.emplace_back("retry", "safe: " + again);
    if (totals_.pages > 0)
      failure.lines.insert(failure.lines.begin(),
                           {"shown", absl::StrCat(totals_.rows, " rows, up to #",
                                                  totals_.last_index, "; more were to follow")});
    return FromFailure(std::move(failure));
  }

  absl::Status Keep() {
    SLUICE_ASSIGN_OR_RETURN(totals_.receipt, KeepInState(session_, response_.receipt()));
    if (!options_.save_payload.empty()) {
      const std::string name = totals_.pages == 0
                                   ? options_.save_payload
                                   : absl::StrCat(options_.save_payload, ".", totals_.pages + 1);
      SLUICE_RETURN_IF_ERROR(
          session_.environment.files.WriteAtomically(name, response_.payload(), 0600));
    }
    totals_.last_index = response_.receipt().index();
    if (totals_.pages++ == 0) totals_.first_index = totals_.last_index;
    return absl::OkStatus();
  }

  Session& session_;
  const QueryOptions& options_;
  const Profile* profile_ = nullptr;
  v1::QueryRequest request_;
  v1::QueryResponse response_;
  QueryTotals totals_;
  RowsOutput rows_;
};

}  // namespace

void AddQueryCommand(CLI::App& app, Invocation& invocation) {
  auto options = std::make_shared<QueryOptions>();
  CLI::App* query = app.add_subcommand("query", "ask for records of a dataset");
  AddAccessOptions(*query, options->access);
  AddRequestIdOption(*query, options->access);
  query->add_option("--limit", options->limit,
                    "rows to fetch, page by page; 0: all. Without it: one page");
  query->add_option("--page-size", options->page_size, "rows a page")->check(CLI::Range(0, 10000));
  query
      ->add_option(
          "--save-payload", options->save_payload,
          "also write the bytes that the receipt proves; pages after the first as FILE.2, …")
      ->type_name("FILE");
  query->callback([&invocation, options] {
    invocation.command = [options](Session& session) { return Query(session, *options).Run(); };
  });
}

}  // namespace sluice::cli
