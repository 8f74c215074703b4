// sluice explain: what a reason means, who can mend it, whether to try again.
#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "cli/commands.h"
#include "cli/json.h"
#include "cli/reasons.h"
#include "gateway/base/error.h"

namespace sluice::cli {
namespace {

struct ExplainOptions {
  std::string reason;
  bool all = false;
};

void Print(Session& session, v1::Reason reason) {
  const v1::ReasonInfo& info = InfoOf(reason);
  if (session.format() == Format::kTable) {
    session.environment.out << ReasonName(reason) << "\n  means  " << info.meaning()
                            << "\n  code   " << StatusCodeName(info.code()) << "\n  mends  "
                            << info.mend() << "\n  retry  " << RetryWords(info.retry())
                            << "\n  next   " << info.next() << "\n";
    return;
  }
  const nlohmann::ordered_json json = {
      {"reason", ReasonName(reason)}, {"number", static_cast<int>(reason)},
      {"code", StatusCodeName(info.code())}, {"retry", RetryWords(info.retry())},
      {"mend", info.mend()}, {"meaning", info.meaning()}, {"next", info.next()}};
  session.environment.out << json.dump() << '\n';
}

absl::Status Explain(Session& session, const ExplainOptions& options) {
  if (session.markdown()) {
    session.environment.out << ReasonsMarkdown();
    return absl::OkStatus();
  }
  if (options.all) {
    for (const v1::Reason reason : AllReasons()) Print(session, reason);
    return absl::OkStatus();
  }
  if (options.reason.empty())
    return UsageError("name a reason, or ask for --all.", "sluice explain PURPOSE_NOT_GRANTED");
  std::string name = absl::AsciiStrToUpper(options.reason);
  if (name.starts_with("REASON_")) name = name.substr(7);
  const v1::Reason reason = ReasonFromName(name);
  if (reason == v1::REASON_UNSPECIFIED)
    return UsageError(absl::StrCat("there is no reason \"", options.reason, "\"."),
                      "sluice explain --all");
  Print(session, reason);
  return absl::OkStatus();
}

}  // namespace

void AddExplainCommand(CLI::App& app, Invocation& invocation) {
  auto options = std::make_shared<ExplainOptions>();
  CLI::App* explain = app.add_subcommand("explain", "what a reason means and what to do");
  explain->add_option("reason", options->reason, "such as PURPOSE_NOT_GRANTED");
  explain->add_flag("--all", options->all, "every reason");
  explain->callback([&invocation, options] {
    invocation.command = [options](Session& session) { return Explain(session, *options); };
  });
}

}  // namespace sluice::cli
