#include "cli/session.h"

#include "absl/strings/str_cat.h"
#include "cli/json.h"
#include "cli/labels.h"
#include "gateway/base/error.h"
#include "gateway/base/yaml.h"

namespace sluice::cli {
namespace {

absl::StatusOr<Micros> ParseTimeout(const std::string& text, Micros if_none, Micros most,
                                    const char* most_words) {
  if (text.empty()) return if_none;
  const YamlDocument timeout = YamlDocument::Parse(text, "--timeout");
  const Micros parsed = timeout.root().AsDuration(if_none, 100 * kMillisecond, most);
  if (timeout.status().ok()) return parsed;
  return UsageError(absl::StrCat("--timeout is a duration from 100ms to ", most_words, "."),
                    "--timeout 30s");
}

}  // namespace

absl::StatusOr<Micros> Session::StreamDeadline() const {
  return ParseTimeout(options_.timeout, 0, kDay, "24h");
}

absl::StatusOr<const Profile*> Session::GetProfile() {
  if (!profile_) {
    auto profile = LoadProfile(environment.files, environment.variable, options_.profile);
    if (!profile.ok()) return profile.status();
    profile_ = *std::move(profile);
  }
  return &*profile_;
}

absl::StatusOr<cli::Gateway*> Session::GetGateway() {
  if (gateway_ != nullptr) return gateway_.get();
  SLUICE_ASSIGN_OR_RETURN(const Micros deadline,
                          ParseTimeout(options_.timeout, 30 * kSecond, kHour, "1h"));
  auto profile = GetProfile();
  if (!profile.ok()) return profile.status();
  auto gateway = environment.connect(**profile, deadline);
  if (!gateway.ok()) return gateway.status();
  gateway_ = *std::move(gateway);
  return gateway_.get();
}

Format Session::format() const {
  if (options_.format == "table") return Format::kTable;
  if (options_.format == "csv") return Format::kCsv;
  if (options_.format == "json") return Format::kJson;
  return environment.out_is_terminal ? Format::kTable : Format::kJson;
}

std::string Session::Label(std::string_view english) const {
  if (chinese()) return std::string(ChineseLabel(english));
  return std::string(english);
}

void Session::PrintAll(const std::vector<TableColumn>& columns,
                       const std::vector<std::vector<std::string>>& rows,
                       const std::vector<const google::protobuf::Message*>& messages) {
  if (format() == Format::kJson) {
    for (const auto* message : messages) environment.out << ToJsonLine(*message) << '\n';
    return;
  }
  std::vector<TableColumn> named = columns;
  for (TableColumn& column : named) column.title = Label(column.title);
  environment.out << (format() == Format::kTable ? FormatTable(named, rows)
                                                 : FormatCsv(columns, rows));
}

void Session::PrintOne(const FailureLines& lines, const google::protobuf::Message& message) {
  if (format() != Format::kTable) {
    environment.out << ToJsonLine(message) << '\n';
    return;
  }
  size_t width = 0;
  for (const auto& [label, value] : lines) width = std::max(width, DisplayWidth(Label(label)));
  for (const auto& [label, value] : lines)
    environment.out << PadRight(Label(label), width) << "  " << Harmless(value) << '\n';
}

}  // namespace sluice::cli
