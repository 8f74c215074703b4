#include "cli/apply_file.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "cli/json.h"
#include "cli/named_file.h"
#include "cli/words.h"
#include "gateway/base/error.h"

namespace sluice::cli {
namespace {

constexpr uint64_t kMostApplied = 4 << 20;

absl::Status Mistakes(std::string_view sentence, std::string_view mistakes) {
  return LocalError("DEFINITION_INVALID", sentence, {{"wrong", std::string(mistakes)}},
                    "mend it and apply again      more: sluice explain DEFINITION_INVALID",
                    kWrongUsage);
}

// What names a thing comes to be with it alone.
bool IsNew(const google::protobuf::RepeatedPtrField<std::string>& differences) {
  return std::any_of(differences.begin(), differences.end(), [](const std::string& difference) {
    return difference.starts_with("id: none -> ") || difference.starts_with("name: none -> ") ||
           difference.starts_with("dataset: none -> ");
  });
}

}  // namespace

void AddApplyOptions(CLI::App* command, const std::shared_ptr<ApplyOptions>& options) {
  command->add_option("file", options->file, "YAML, docs/formats/yaml.md")
      ->type_name("FILE")
      ->required();
  command->add_flag("--dry-run", options->dry_run, "check and say what would change, no more");
}

void AddEtagOption(CLI::App* command, const std::shared_ptr<ApplyOptions>& options) {
  command->add_option("--etag", options->etag,
                      "refuse it where somebody changed it since; show --format json has the etag");
}

absl::StatusOr<std::string> ReadDefinition(Session& session, const ApplyOptions& options) {
  return ReadNamedFile(session.environment.files, options.file, kMostApplied);
}

absl::Status Listed(const absl::Status& status) {
  if (ReasonOf(status) != v1::REASON_DEFINITION_INVALID) return status;
  return Mistakes("the file has mistakes; nothing was sent.", std::string(status.message()));
}

absl::Status Placed(const absl::Status& status, const YamlDocument& document,
                    const ApplyOptions& options, std::string_view message,
                    const identity::YamlNames& names) {
  const auto lines = identity::PlaceViolations(status, document, options.file, message, names);
  if (lines.empty()) return status;
  Failure failure = DescribeFailure(status);
  const auto request = BadRequestOf(status);
  // Their paths in the request say less than those in the file.
  std::erase_if(failure.lines, [&](const auto& line) {
    for (const auto& violation : request->field_violations())
      if (violation.field() == line.first) return true;
    return false;
  });
  failure.lines.insert(failure.lines.begin(), {"wrong", absl::StrJoin(lines, "\n")});
  return FromFailure(std::move(failure));
}

void PrintDifferences(Session& session, const ApplyOptions& options, std::string_view what,
                      const google::protobuf::RepeatedPtrField<std::string>& differences,
                      const google::protobuf::Message& response, std::string_view more,
                      std::string_view next) {
  std::ostream& out = session.environment.out;
  if (session.format() != Format::kTable) {
    out << ToJsonLine(response) << '\n';
    return;
  }
  if (!options.dry_run && IsNew(differences)) {
    out << what << "  new\n";
    return;
  }
  out << what << (options.dry_run ? "  (dry run: nothing was changed)" : "") << '\n';
  const char* label = options.dry_run ? "  would change  " : "  changed  ";
  for (const std::string& difference : differences) out << label << Harmless(difference) << '\n';
  if (differences.empty()) out << "  no difference\n";
  out << more;
  if (options.dry_run) out << "next  " << next << '\n';
}

}  // namespace sluice::cli
