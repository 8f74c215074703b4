// sluice audit open-subject-key: what turns identifiers of one year into pseudonyms, for a court,
// by two persons.
#include "cli/audit_subject_key.h"

#include "absl/strings/str_cat.h"
#include "cli/failure.h"
#include "cli/methods.h"
#include "cli/times.h"
#include "cli/words.h"
#include "gateway/audit/subjects.h"
#include "gateway/base/crypto.h"
#include "gateway/base/error.h"

namespace sluice::cli {
namespace {

constexpr size_t kKeyBytes = 32;

struct SubjectKeyOptions {
  int32_t year = 0;
  std::string case_reference, law, article, id, output;
};

absl::Status CheckSaid(const SubjectKeyOptions& options) {
  const bool asks = options.id.empty();
  if (asks && (options.year == 0 || options.case_reference.empty() || options.law.empty() ||
               options.article.empty()))
    return UsageError("to ask, say the year, the court's reference and the law.",
                      "--year 2026 --case REFERENCE --law LAW --article ARTICLE");
  if (asks && !options.output.empty())
    return UsageError("--output is for opening: nothing is opened by asking.", "--id ID -o FILE");
  if (!asks && options.output.empty())
    return UsageError("the keys are secret: say into which file they go.", "--id ID -o FILE");
  return absl::OkStatus();
}

// A line a type: "CN-RID 64 hexadecimal digits".
absl::StatusOr<std::string> KeyLines(const std::string& key) {
  const std::vector<std::string>& types = audit::IdTypes();
  if (key.size() != kKeyBytes * types.size())
    return LocalError("ANSWER_UNREADABLE", "the gateway gave other keys than this tool knows.");
  std::string lines;
  for (size_t i = 0; i < types.size(); ++i)
    absl::StrAppend(&lines, types[i], " ", HexEncode(key.substr(i * kKeyBytes, kKeyBytes)), "\n");
  return lines;
}

absl::Status OpenSubjectKey(Session& session, const SubjectKeyOptions& options) {
  SLUICE_RETURN_IF_ERROR(CheckSaid(options));
  v1::OpenSubjectKeyRequest request;
  request.set_key_year(options.year);
  request.set_case_reference(options.case_reference);
  request.mutable_basis()->set_law(options.law);
  request.mutable_basis()->set_article(options.article);
  request.set_id(options.id);
  SLUICE_ASSIGN_OR_RETURN(const auto response, Ask(session, kOpenSubjectKey, request));
  if (options.id.empty()) {
    session.environment.out << absl::StrCat(
        "asked     ", Harmless(response.id()), ", #", response.index(), ", until ",
        FormatTime(ToMicros(response.expires()), session.environment.zone),
        "\nnext      another person, an auditor or of the authority: sluice audit "
        "open-subject-key --id ",
        Harmless(response.id()), " -o FILE\n");
    return absl::OkStatus();
  }
  SLUICE_ASSIGN_OR_RETURN(const std::string lines, KeyLines(response.key()));
  SLUICE_RETURN_IF_ERROR(session.environment.files.WriteAtomically(options.output, lines, 0600));
  session.environment.out << absl::StrCat("opened    #", response.index(), ", into ",
                                          Harmless(options.output),
                                          " (0600): a key for each type of identifier\n");
  return absl::OkStatus();
}

}  // namespace

void AddOpenSubjectKeyCommand(CLI::App& audit, Invocation& invocation) {
  auto options = std::make_shared<SubjectKeyOptions>();
  CLI::App* open = audit.add_subcommand(
      "open-subject-key",
      "open what turns identifiers of one year into pseudonyms, for a court: one auditor asks, "
      "another person opens");
  open->add_option("--year", options->year, "the year of the accesses");
  open->add_option("--case", options->case_reference, "the court's reference");
  open->add_option("--law", options->law, "the law that demands it");
  open->add_option("--article", options->article, "its article");
  open->add_option("--id", options->id, "what the one who asked was told: opens it");
  open->add_option("-o,--output", options->output, "where the keys go (0600)")->type_name("FILE");
  open->callback([&invocation, options] {
    invocation.command = [options](Session& session) { return OpenSubjectKey(session, *options); };
  });
}

}  // namespace sluice::cli
