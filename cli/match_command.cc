// sluice match: asks whether values are those of a record, checks the receipt before any answer is
// shown, and repeats no value.
#include <algorithm>
#include <sstream>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "cli/access_options.h"
#include "cli/commands.h"
#include "cli/json.h"
#include "cli/keep_receipt.h"
#include "cli/methods.h"
#include "cli/query_summary.h"
#include "cli/receipts.h"
#include "cli/words.h"
#include "gateway/base/error.h"

namespace sluice::cli {
namespace {

constexpr int kMostItems = 1'000;
constexpr uint64_t kMostItemBytes = 4 << 20;

struct MatchOptions {
  AccessOptions access;
  std::vector<std::string> values;
  std::string items;
};

absl::Status ReadItem(const std::string& line, int number, v1::MatchItem& item) {
  const auto json = nlohmann::json::parse(line, nullptr, /*allow_exceptions=*/false);
  const auto wrong = [&] {
    return UsageError(absl::StrCat("--items, line ", number,
                                   ": expected a JSON object of texts, numbers and booleans."),
                      R"({"id_number": "…", "name": "…"})");
  };
  if (!json.is_object() || json.empty()) return wrong();
  for (const auto& [name, held] : json.items()) {
    v1::Value& value = (*item.mutable_values())[name];
    if (held.is_string())
      value.set_string_value(held.get<std::string>());
    else if (held.is_boolean())
      value.set_bool_value(held.get<bool>());
    else if (held.is_number())
      value.set_string_value(held.dump());
    else
      return wrong();
  }
  return absl::OkStatus();
}

class Match {
 public:
  Match(Session& session, const MatchOptions& options) : session_(session), options_(options) {}

  absl::Status Run() {
    SLUICE_RETURN_IF_ERROR(Prepare());
    SLUICE_ASSIGN_OR_RETURN(const Profile* profile, session_.GetProfile());
    const auto response = Ask(session_, kMatch, request_);
    if (!response.ok()) return FromFailure(DescribeRefusal(response.status(), options_.access));
    SLUICE_RETURN_IF_ERROR(CheckMatch(request_, *response, profile->log_key).status());
    v1::MatchAnswers answers;
    if (!answers.ParseFromString(response->payload()) ||
        answers.answers_size() != request_.items_size())
      return LocalError("ANSWER_UNREADABLE",
                        "the gateway's answers cannot be read; nothing is shown.");
    SLUICE_ASSIGN_OR_RETURN(const std::string kept, KeepInState(session_, response->receipt()));
    Show(*response, answers);
    session_.environment.err << FormatGrantAndAudit(session_, response->applied(),
                                                    response->receipt(), kept);
    return absl::OkStatus();
  }

 private:
  absl::Status Prepare() {
    FillClaims(options_.access, request_);
    request_.set_request_id(options_.access.request_id);
    if (options_.items.empty() == options_.values.empty())
      return UsageError("one of --value and --items says what is to be matched.",
                        "--value id_number=@- --value name=NAME, or --items FILE");
    return options_.items.empty() ? ReadValues() : ReadItems();
  }

  // Each field's values, in the items' order.
  absl::Status ReadValues() {
    google::protobuf::Map<std::string, v1::ParameterValues> values;
    SLUICE_RETURN_IF_ERROR(ReadParameters(options_.values, session_.environment.files,
                                          session_.environment.in, values, "--value"));
    const int count = values.begin()->second.values_size();
    for (const auto& [name, all] : values) {
      if (all.values_size() != count)
        return UsageError("--value: the fields have different numbers of values.",
                          "name each field as often as the others");
    }
    for (int i = 0; i < count; ++i) {
      v1::MatchItem& item = *request_.add_items();
      for (const auto& [name, all] : values) (*item.mutable_values())[name] = all.values(i);
    }
    return absl::OkStatus();
  }

  absl::Status ReadItems() {
    std::string text;
    if (options_.items == "-") {
      std::ostringstream all;
      all << session_.environment.in.rdbuf();
      text = all.str();
    } else {
      auto read = session_.environment.files.ReadAll(options_.items, kMostItemBytes);
      if (!read.ok())
        return UsageError(absl::StrCat("--items: ", std::string(read.status().message())),
                          "--items FILE");
      text = *std::move(read);
    }
    int number = 0;
    for (const std::string& line : std::vector<std::string>(absl::StrSplit(text, '\n'))) {
      ++number;
      if (line.find_first_not_of(" \t\r") == line.npos) continue;
      if (request_.items_size() == kMostItems)
        return UsageError("--items: more than 1,000 items.", "ask in parts");
      SLUICE_RETURN_IF_ERROR(ReadItem(line, number, *request_.add_items()));
    }
    if (request_.items().empty())
      return UsageError("--items: no item came.", R"({"id_number": "…", "name": "…"})");
    return absl::OkStatus();
  }

  // What each answer's fields are about: those that find come first, and have no answer.
  static std::vector<std::string> Compared(const v1::MatchResponse& response,
                                           const v1::MatchAnswers& answers) {
    const auto& fields = response.applied().fields();
    const int told = std::min(answers.answers(0).fields_size(), fields.size());
    std::vector<std::string> names;
    for (int i = fields.size() - told; i < fields.size(); ++i) names.push_back(fields[i].name());
    return names;
  }

  static std::string WordOf(int outcome) {
    const auto* value = v1::MatchOutcome_descriptor()->FindValueByNumber(outcome);
    return value == nullptr ? absl::StrCat(outcome) : EnumWord(*value);
  }

  void Show(const v1::MatchResponse& response, const v1::MatchAnswers& answers) {
    const std::vector<std::string> compared = Compared(response, answers);
    std::vector<TableColumn> columns = {{"item", true}, {"outcome"}};
    for (const std::string& name : compared) columns.push_back({name});
    std::vector<std::vector<std::string>> rows;
    for (int i = 0; i < answers.answers_size(); ++i) {
      const v1::MatchAnswer& answer = answers.answers(i);
      auto& row = rows.emplace_back(
          std::vector<std::string>{absl::StrCat(i + 1), WordOf(answer.outcome())});
      for (size_t j = 0; j < compared.size(); ++j)
        row.push_back(static_cast<int>(j) < answer.fields_size()
                          ? WordOf(answer.fields(static_cast<int>(j)))
                          : "");
    }
    if (session_.format() == Format::kTable) {
      session_.environment.out << FormatTable(columns, rows);
    } else if (session_.format() == Format::kCsv) {
      session_.environment.out << FormatCsv(columns, rows);
    } else {
      for (const auto& row : rows) {
        nlohmann::ordered_json json = {{"item", std::stoi(row[0])}, {"outcome", row[1]}};
        for (size_t j = 0; j < compared.size(); ++j) json["fields"][compared[j]] = row[j + 2];
        session_.environment.out << json.dump() << "\n";
      }
    }
  }

  Session& session_;
  const MatchOptions& options_;
  v1::MatchRequest request_;
};

}  // namespace

void AddMatchCommand(CLI::App& app, Invocation& invocation) {
  auto options = std::make_shared<MatchOptions>();
  CLI::App* match = app.add_subcommand(
      "match", "ask whether values are those of a record: yes, no, or not found");
  AddClaimOptions(*match, options->access);
  AddRequestIdOption(*match, options->access);
  match
      ->add_option("--value", options->values,
                   "FIELD=VALUE, FIELD=@FILE or FIELD=@- (a value a line, an item each); personal "
                   "identifiers belong in a file or on standard input")
      ->allow_extra_args(false);
  match
      ->add_option("--items", options->items,
                   "a JSON object a line, {\"id_number\": \"…\", \"name\": \"…\"}; - is standard "
                   "input; at most 1,000")
      ->type_name("FILE");
  match->callback([&invocation, options] {
    invocation.command = [options](Session& session) { return Match(session, *options).Run(); };
  });
}

}  // namespace sluice::cli
