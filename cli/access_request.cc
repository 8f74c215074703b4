#include "cli/access_request.h"

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "cli/failure.h"
#include "gateway/base/error.h"

namespace sluice::cli {

void AddRequestOptions(CLI::App& command, RequestOptions& options) {
  command.add_option("dataset", options.dataset, "AGENCY/DATASET");
  command.add_option("-f,--file", options.file, "YAML: the whole request, in place of the options")
      ->type_name("FILE");
  command.add_option("--purpose", options.purposes, "codes of the authority's list")
      ->delimiter(',')
      ->allow_extra_args(false);
  command.add_option("--law", options.law, "the law that entitles you");
  command.add_option("--article", options.article, "its article");
  command.add_option("--law-text", options.law_text, "the words relied on");
  AddShareOptions(command, options.share);
  command.add_option("--why", options.why, "in words, for the person who decides");
  auto* submit = command.add_flag("--submit", options.submit,
                                  "and send it at once: for persons of your sharing office");
  command.add_option("--mend", options.mend, "ID: in place of what was drafted or returned")
      ->type_name("ID")
      ->excludes(submit);
  command.add_option("--etag", options.etag, "with --mend: refused where it has changed since");
  command.add_flag("--dry-run", options.dry_run, "check and say what would be asked, no more");
}

absl::StatusOr<v1::AccessRequest> BuildRequest(const RequestOptions& options, Micros now,
                                               const absl::TimeZone& zone) {
  std::vector<std::string> missing;
  for (const auto& [name, absent] : {std::pair("DATASET", options.dataset.empty()),
                                     {"--purpose", options.purposes.empty()},
                                     {"--law", options.law.empty()},
                                     {"--article", options.article.empty()},
                                     {"--fields", options.share.fields.empty()},
                                     {"--until", options.share.until.empty()}})
    if (absent) missing.push_back(name);
  if (!missing.empty())
    return UsageError(
        absl::StrCat("what is asked for is not said: ", absl::StrJoin(missing, ", "), "."),
        "sluice access request --help, or -f FILE");
  v1::AccessRequest request;
  request.set_dataset(options.dataset);
  *request.mutable_purposes() = {options.purposes.begin(), options.purposes.end()};
  request.mutable_basis()->set_law(options.law);
  request.mutable_basis()->set_article(options.article);
  request.mutable_basis()->set_text(options.law_text);
  *request.mutable_fields() = {options.share.fields.begin(), options.share.fields.end()};
  request.add_modes(v1::MODE_QUERY);
  SLUICE_RETURN_IF_ERROR(FillShare(options.share, now, zone, request));
  request.set_justification(options.why);
  return request;
}

}  // namespace sluice::cli
