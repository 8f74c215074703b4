#include "gateway/sharing/grant_yaml.h"

#include <set>

#include "absl/strings/str_cat.h"
#include "certs/spiffe.h"
#include "gateway/base/error.h"
#include "gateway/identity/registration.h"
#include "gateway/sharing/yaml_parts.h"

namespace sluice::sharing {
namespace {

void ReadRequire(const YamlNode& list, v1::Grant& grant) {
  for (const YamlNode& node : list.AsList()) {
    constexpr char kExpected[] = "one of case_reference, end_user";
    const std::string word = ReadText(node, kExpected);
    if (word == "case_reference")
      grant.set_case_reference_required(true);
    else if (word == "end_user")
      grant.set_end_user_required(true);
    else if (!word.empty())
      node.Fail(kExpected);
  }
}

// For names that the file itself must get right.
void ReadNames(YamlMap& root, v1::Grant& grant) {
  const YamlNode id = root.Required("grant");
  if (const std::string text = id.AsString(); text != "new") {
    grant.set_id(text);
    if (id.present() && text.empty()) id.Fail("new, or the id of a grant");
  }
  const YamlNode dataset = root.Required("dataset");
  grant.set_dataset(dataset.AsString());
  if (!grant.dataset().empty() && !identity::SplitName(grant.dataset()))
    dataset.Fail(absl::StrCat("agency/dataset, each ", kIdRule));
  const YamlNode to = root.Required("to");
  grant.set_consumer_agency(to.AsString());
  if (!grant.consumer_agency().empty() && !certs::IsId(grant.consumer_agency()))
    to.Fail(absl::StrCat("an agency: ", kIdRule));
  for (const YamlNode& node :
       ReadList(root.Optional("systems"), "at least one system; left out, all of the agency's")) {
    grant.add_systems(node.AsString());
    if (!certs::IsId(grant.systems(grant.systems_size() - 1)))
      node.Fail(absl::StrCat("a system's name without its agency: ", kIdRule));
  }
  for (const YamlNode& node : root.Required("purposes").AsList())
    grant.add_purposes(node.AsString());
}

void ReadGrant(YamlMap root, v1::Grant& grant) {
  ReadNames(root, grant);
  *grant.mutable_basis() = identity::ReadLegalBasis(root.Required("basis").AsMap());
  std::set<std::string> names;
  for (const YamlNode& node : root.Required("fields").AsList()) {
    v1::GrantedField& field = *grant.add_fields();
    ReadGrantedField(node, field);
    if (!field.name().empty() && !names.insert(field.name()).second)
      node.Fail(absl::StrCat("field ", field.name(), " is listed twice"));
  }
  grant.set_row_filter(ReadText(root.Optional("rows"), "filter text; left out, all rows"));
  const YamlNode modes = root.Optional("modes");
  for (const YamlNode& node : ReadList(modes, "at least one: query, read, match, count"))
    grant.add_modes(ReadMode(node));
  if (!modes.present()) grant.add_modes(v1::MODE_QUERY);
  grant.set_max_page_rows(
      static_cast<int32_t>(root.Optional("max_page_rows").AsInt(0, 0, 1'000'000)));
  if (const YamlNode quota = root.Optional("quota"); quota.present())
    ReadQuota(quota.AsMap(), *grant.mutable_quota());
  ReadTime(root.Optional("not_before"), &v1::Grant::mutable_not_before, grant);
  ReadTime(root.Required("expires"), &v1::Grant::mutable_expires, grant);
  ReadRequire(root.Optional("require"), grant);
  ReadWords(root, grant);
  root.RefuseOthers();
}

}  // namespace

const identity::YamlNames& GrantYamlNames() {
  static const auto* const names =
      new identity::YamlNames{{"id", "grant"},
                              {"consumer_agency", "to"},
                              {"row_filter", "rows"},
                              {"quota.day_offset_minutes", "quota.day"},
                              {"case_reference_required", "require"},
                              {"end_user_required", "require"}};
  return *names;
}

absl::StatusOr<GrantFile> ParseGrantYaml(std::string_view text, std::string_view file) {
  GrantFile result{{}, YamlDocument::Parse(text, file)};
  ReadGrant(result.document.root().AsMap(), result.grant);
  SLUICE_RETURN_IF_ERROR(identity::YamlStatus(result.document));
  return result;
}

}  // namespace sluice::sharing
