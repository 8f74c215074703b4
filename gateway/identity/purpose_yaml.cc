#include "gateway/identity/purpose_yaml.h"

#include <set>

#include "certs/spiffe.h"
#include "gateway/base/error.h"

namespace sluice::identity {

std::vector<v1::Purpose> ReadPurposes(const YamlNode& list) {
  std::vector<v1::Purpose> purposes;
  std::set<std::string> codes;
  for (const YamlNode& node : list.AsList()) {
    YamlMap map = node.AsMap();
    v1::Purpose purpose;
    const YamlNode code = map.Required("code");
    purpose.set_code(code.AsString());
    if (code.present() && !certs::IsId(purpose.code()))
      code.Fail("1 to 63 of a-z, 0-9 and inner hyphens");
    if (!codes.insert(purpose.code()).second) code.Fail("listed twice");
    const std::string en = map.Optional("en").AsString();
    const std::string zh = map.Optional("zh").AsString();
    if (!en.empty()) purpose.mutable_title()->set_en(en);
    if (!zh.empty()) purpose.mutable_title()->set_zh(zh);
    purpose.set_withdrawn(map.Optional("withdrawn").AsBool(false));
    map.RefuseOthers();
    purposes.push_back(std::move(purpose));
  }
  return purposes;
}

absl::StatusOr<std::vector<v1::Purpose>> ParsePurposesYaml(std::string_view text,
                                                           std::string_view file) {
  const YamlDocument document = YamlDocument::Parse(text, file);
  YamlMap root = document.root().AsMap();
  auto purposes = ReadPurposes(root.Required("purposes"));
  root.RefuseOthers();
  SLUICE_RETURN_IF_ERROR(YamlStatus(document));
  return purposes;
}

}  // namespace sluice::identity
