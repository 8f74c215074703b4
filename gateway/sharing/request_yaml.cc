#include "gateway/sharing/request_yaml.h"

#include <set>

#include "absl/strings/str_cat.h"
#include "certs/spiffe.h"
#include "gateway/base/error.h"
#include "gateway/identity/registration.h"
#include "gateway/sharing/yaml_parts.h"

namespace sluice::sharing {
namespace {

constexpr size_t kMostWords = 4096;

// What a request and a grant have in common, and call the same.
template <class Message>
void ReadCommon(YamlMap& root, Message& message) {
  for (const YamlNode& node :
       ReadList(root.Optional("systems"), "at least one system; left out, all of the agency's")) {
    message.add_systems(node.AsString());
    if (!certs::IsId(message.systems(message.systems_size() - 1)))
      node.Fail(absl::StrCat("a system's name without its agency: ", kIdRule));
  }
  message.set_row_filter(ReadText(root.Optional("rows"), "filter text; left out, all rows"));
  for (const YamlNode& node :
       ReadList(root.Optional("modes"), "at least one: query, read, match, count"))
    message.add_modes(ReadMode(node));
  if (const YamlNode quota = root.Optional("quota"); quota.present())
    ReadQuota(quota.AsMap(), *message.mutable_quota());
  ReadTime(root.Optional("not_before"), &Message::mutable_not_before, message);
}

void ReadFieldNames(const YamlNode& list, v1::AccessRequest& request) {
  std::set<std::string> names;
  for (const YamlNode& node : ReadList(list, "at least one field")) {
    const std::string name = ReadText(node, "the name of a field; masks are the owner's matter");
    if (!name.empty() && !names.insert(name).second)
      node.Fail(absl::StrCat("field ", name, " is listed twice"));
    request.add_fields(name);
  }
}

void ReadRequest(YamlMap root, v1::AccessRequest& request) {
  const YamlNode dataset = root.Required("dataset");
  request.set_dataset(dataset.AsString());
  if (dataset.present() && !identity::SplitName(request.dataset()))
    dataset.Fail(absl::StrCat("agency/dataset, each ", kIdRule));
  for (const YamlNode& node : ReadList(root.Required("purposes"), "at least one purpose"))
    request.add_purposes(ReadText(node, "a code of the authority's list"));
  *request.mutable_basis() = identity::ReadLegalBasis(root.Required("basis").AsMap());
  ReadFieldNames(root.Required("fields"), request);
  ReadCommon(root, request);
  if (request.modes().empty()) request.add_modes(v1::MODE_QUERY);
  ReadTime(root.Required("expires"), &v1::AccessRequest::mutable_expires, request);
  const YamlNode why = root.Optional("why");
  request.set_justification(ReadText(why, "words for the person who decides"));
  if (request.justification().size() > kMostWords)
    why.Fail(absl::StrCat("at most ", kMostWords, " bytes"));
  request.set_scenario(ReadText(root.Optional("scenario"), "words: the business it is for"));
  request.set_scope(ReadText(root.Optional("scope"), "words: by whom, and how far"));
  root.RefuseOthers();
}

void ReadDemands(const YamlNode& list, v1::Grant& terms) {
  constexpr char kExpected[] = "at least one of case_reference, end_user";
  for (const YamlNode& node : ReadList(list, kExpected)) {
    const std::string word = ReadText(node, kExpected);
    if (word == "case_reference")
      terms.set_case_reference_required(true);
    else if (word == "end_user")
      terms.set_end_user_required(true);
    else if (!word.empty())
      node.Fail(kExpected);
  }
}

void ReadTerms(YamlMap root, v1::Grant& terms) {
  for (const YamlNode& node : ReadList(root.Optional("purposes"), "at least one purpose"))
    terms.add_purposes(ReadText(node, "a code of the authority's list"));
  if (const YamlNode basis = root.Optional("basis"); basis.present())
    *terms.mutable_basis() = identity::ReadLegalBasis(basis.AsMap());
  std::set<std::string> names;
  for (const YamlNode& node : ReadList(root.Optional("fields"), "at least one field")) {
    v1::GrantedField& field = *terms.add_fields();
    ReadGrantedField(node, field);
    if (!field.name().empty() && !names.insert(field.name()).second)
      node.Fail(absl::StrCat("field ", field.name(), " is listed twice"));
  }
  ReadCommon(root, terms);
  terms.set_max_page_rows(
      static_cast<int32_t>(root.Optional("max_page_rows").AsInt(0, 0, 1'000'000)));
  ReadTime(root.Optional("expires"), &v1::Grant::mutable_expires, terms);
  ReadDemands(root.Optional("require"), terms);
  ReadWords(root, terms);
  root.RefuseOthers();
}

}  // namespace

const identity::YamlNames& RequestYamlNames() {
  static const auto* const names = new identity::YamlNames{
      {"row_filter", "rows"}, {"justification", "why"}, {"quota.day_offset_minutes", "quota.day"}};
  return *names;
}

absl::StatusOr<RequestFile> ParseRequestYaml(std::string_view text, std::string_view file) {
  RequestFile result{{}, YamlDocument::Parse(text, file)};
  ReadRequest(result.document.root().AsMap(), result.request);
  SLUICE_RETURN_IF_ERROR(identity::YamlStatus(result.document));
  return result;
}

absl::StatusOr<TermsFile> ParseTermsYaml(std::string_view text, std::string_view file) {
  TermsFile result{{}, YamlDocument::Parse(text, file)};
  ReadTerms(result.document.root().AsMap(), result.terms);
  SLUICE_RETURN_IF_ERROR(identity::YamlStatus(result.document));
  return result;
}

}  // namespace sluice::sharing
