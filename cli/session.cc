#include "cli/session.h"

#include <map>

#include "absl/strings/str_cat.h"
#include "cli/json.h"
#include "gateway/base/error.h"
#include "gateway/base/yaml.h"

namespace sluice::cli {
namespace {

const std::map<std::string_view, std::string_view>& ChineseWords() {
  static const auto* const words = new std::map<std::string_view, std::string_view>{
      {"actor", "操作方"}, {"agency", "部门"},      {"audit", "审计"},
      {"calls", "调用"},   {"case", "案件"},        {"certificate", "证书"},
      {"class", "级别"},   {"code", "代码"},        {"consumer", "使用方"},
      {"count", "数量"},   {"dataset", "数据集"},   {"duties", "义务"},
      {"expires", "到期"}, {"field", "字段"},       {"fields", "字段"},
      {"gateway", "网关"}, {"grant", "授权"},       {"index", "序号"},
      {"kind", "类型"},    {"law", "依据"},         {"left out", "未提供"},
      {"log", "日志"},     {"mask", "脱敏"},        {"masked", "脱敏"},
      {"name", "名称"},    {"outcome", "结果"},     {"owner", "提供方"},
      {"person", "人员"},  {"purpose", "用途"},     {"purposes", "用途"},
      {"quota", "配额"},   {"reason", "原因"},      {"roles", "角色"},
      {"rows", "行"},      {"sharing", "共享属性"}, {"source", "数据源"},
      {"state", "状态"},   {"system", "系统"},      {"time", "时间"},
      {"title", "名称"},   {"type", "数据类型"},    {"update", "更新"},
      {"version", "版本"}, {"who", "身份"}};
  return *words;
}

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
  if (chinese()) {
    const auto word = ChineseWords().find(english);
    if (word != ChineseWords().end()) return std::string(word->second);
  }
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
