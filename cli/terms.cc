#include "cli/terms.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "cli/failure.h"
#include "cli/sharing_words.h"
#include "cli/words.h"
#include "gateway/base/error.h"
#include "gateway/catalogue/mask_spec.h"
#include "gateway/sharing/request_life.h"

namespace sluice::cli {
namespace {

using GrantedFields = google::protobuf::RepeatedPtrField<v1::GrantedField>;

v1::GrantedField* Find(GrantedFields& fields, std::string_view name) {
  const auto found = std::find_if(fields.begin(), fields.end(),
                                  [&](const v1::GrantedField& one) { return one.name() == name; });
  return found == fields.end() ? nullptr : &*found;
}

absl::Status NoSuchField(std::string_view option, std::string_view name,
                         const GrantedFields& fields) {
  std::vector<std::string> names;
  for (const v1::GrantedField& field : fields) names.push_back(field.name());
  return UsageError(absl::StrCat(absl::string_view(option.data(), option.size()), ": the field \"",
                                 absl::string_view(name.data(), name.size()), "\" is not in it."),
                    "one of " + absl::StrJoin(names, ", "));
}

// The fields named, in that order, each as the terms file or else the proposal has it.
absl::StatusOr<GrantedFields> Chosen(const std::vector<std::string>& names, GrantedFields fields,
                                     GrantedFields proposed) {
  GrantedFields chosen;
  for (const std::string& name : names) {
    const v1::GrantedField* field = Find(fields, name);
    if (field == nullptr) field = Find(proposed, name);
    if (field == nullptr) return NoSuchField("--fields", name, proposed);
    if (Find(chosen, name) != nullptr)
      return UsageError(absl::StrCat("--fields: \"", name, "\" stands twice."), "name it once");
    *chosen.Add() = *field;
  }
  return chosen;
}

// Applies FIELD=WORD options; `set` says what is wrong with the word.
template <class Set>
absl::Status ForEachPair(std::string_view option, const std::vector<std::string>& arguments,
                         const char* example, GrantedFields& fields, const Set& set) {
  for (const std::string& argument : arguments) {
    const size_t equals = argument.find('=');
    if (equals == std::string::npos || equals == 0 || equals + 1 == argument.size())
      return UsageError(absl::StrCat(std::string(option), " takes FIELD=WORD."), example);
    const std::string name = argument.substr(0, equals);
    v1::GrantedField* field = Find(fields, name);
    if (field == nullptr) return NoSuchField(option, name, fields);
    if (const std::string wrong = set(*field, argument.substr(equals + 1)); !wrong.empty())
      return UsageError(absl::StrCat(std::string(option), " ", argument, ": ", wrong), example);
  }
  return absl::OkStatus();
}

std::string SetMask(v1::GrantedField& field, const std::string& word) {
  const auto mask = catalogue::ParseMask(word);
  if (!mask.ok()) return std::string(mask.status().message());
  *field.mutable_mask() = *mask;
  return "";
}

std::string SetFilter(v1::GrantedField& field, const std::string& word) {
  if (word == "exact")
    field.set_filter(v1::MASKED_FILTER_EXACT);
  else if (word == "masked_value")
    field.set_filter(v1::MASKED_FILTER_MASKED_VALUE);
  else if (word == "none")
    field.set_filter(v1::MASKED_FILTER_UNSPECIFIED);
  else
    return "one of exact, masked_value, none";
  return "";
}

absl::Status BuildFields(const TermsOptions& options, const GrantedFields& proposed,
                         v1::Grant& terms) {
  if (terms.fields().empty()) *terms.mutable_fields() = proposed;
  if (!options.share.fields.empty()) {
    auto chosen = Chosen(options.share.fields, terms.fields(), proposed);
    if (!chosen.ok()) return chosen.status();
    *terms.mutable_fields() = *std::move(chosen);
  }
  SLUICE_RETURN_IF_ERROR(ForEachPair("--mask", options.masks, "--mask 'name=partial(1..0)'",
                                     *terms.mutable_fields(), SetMask));
  return ForEachPair("--filter", options.filters, "--filter id_number=exact",
                     *terms.mutable_fields(), SetFilter);
}

absl::Status NothingProposed(const v1::AccessRequest& request) {
  if (sharing::FindLifeRow(request.state(), v1::ACCESS_ACTION_GRANT) == nullptr)
    return LocalError("STEP_NOT_ALLOWED",
                      absl::StrCat("request ", request.id(), " is ", RequestState(request.state()),
                                   ": nothing can be granted now."),
                      {}, "sluice access show " + ShellQuoted(request.id()));
  return LocalError("NOT_OWNER",
                    absl::StrCat("only persons of the agency that owns ", request.dataset(),
                                 " decide on request ", request.id(), "."),
                    {}, "sluice whoami says who you are", kDenied);
}

}  // namespace

void AddTermsOptions(CLI::App& command, TermsOptions& options) {
  command.add_option("-f,--file", options.file, "YAML: terms, a grant with what is said only")
      ->type_name("FILE");
  AddShareOptions(command, options.share);
  command
      .add_option("--mask", options.masks,
                  "FIELD=MASK, such as 'name=partial(1..0)'; the others get the least that the "
                  "dataset demands")
      ->allow_extra_args(false);
  command.add_option("--filter", options.filters, "FIELD=exact or FIELD=masked_value")
      ->allow_extra_args(false);
  command.add_option("--require", options.require, "case_reference,end_user: what calls must name")
      ->delimiter(',')
      ->allow_extra_args(false)
      ->check(CLI::IsMember({"case_reference", "end_user"}));
}

absl::StatusOr<v1::Grant> BuildTerms(const TermsOptions& options, const v1::Grant& file,
                                     const v1::GetAccessRequestResponse& asked, Micros now,
                                     const absl::TimeZone& zone) {
  v1::Grant terms = file;
  const bool needs_proposal =
      options.names_fields() || (options.share.has_quota() && !file.has_quota());
  if (needs_proposal && !asked.has_proposed()) return NothingProposed(asked.request());
  if (options.names_fields())
    SLUICE_RETURN_IF_ERROR(BuildFields(options, asked.proposed().fields(), terms));
  if (options.share.has_quota() && !file.has_quota())
    *terms.mutable_quota() = asked.proposed().quota();
  SLUICE_RETURN_IF_ERROR(FillShare(options.share, now, zone, terms));
  for (const std::string& word : options.require) {
    if (word == "case_reference") terms.set_case_reference_required(true);
    if (word == "end_user") terms.set_end_user_required(true);
  }
  return terms;
}

}  // namespace sluice::cli
