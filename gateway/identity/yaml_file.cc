#include "gateway/identity/yaml_file.h"

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "gateway/base/error.h"

namespace sluice::identity {
namespace {

// "fields[2].type" without "[2]".
std::string WithoutIndices(std::string_view path) {
  std::string result;
  bool within = false;
  for (const char c : path) {
    if (c == '[') within = true;
    if (!within) result += c;
    if (c == ']') within = false;
  }
  return result;
}

// Each "[*]" of the name takes the next index of the path.
std::string YamlPath(std::string_view path, const YamlNames& names) {
  const auto name = names.find(WithoutIndices(path));
  if (name == names.end()) {
    const size_t dot = path.find('.') + 1;  // 0 where there is none
    const auto first = names.find(path.substr(0, dot));
    return first == names.end() ? std::string(path)
                                : absl::StrCat(first->second, std::string(path.substr(dot)));
  }
  std::string result;
  size_t from = 0;
  for (const auto& part : absl::StrSplit(name->second, "[*]")) {
    result.append(part.data(), part.size());
    const size_t open = path.find('[', from);
    if (open == std::string_view::npos) continue;
    from = path.find(']', open) + 1;
    result.append(path.substr(open, from - open));
  }
  return result;
}

}  // namespace

absl::Status YamlStatus(const YamlDocument& document) {
  const auto errors = document.errors();
  if (errors.empty()) return absl::OkStatus();
  return Error(v1::REASON_DEFINITION_INVALID, absl::StrJoin(errors, "\n"));
}

std::vector<std::string> PlaceViolations(const absl::Status& status, const YamlDocument& document,
                                         std::string_view file, std::string_view message,
                                         const YamlNames& names) {
  std::vector<std::string> lines;
  const auto request = BadRequestOf(status);
  if (!request) return lines;
  for (const auto& violation : request->field_violations()) {
    std::string_view field = violation.field();
    if (field.starts_with(message) && field.substr(message.size()).starts_with('.'))
      field.remove_prefix(message.size() + 1);
    const std::string path = YamlPath(field, names);
    lines.push_back(absl::StrCat(absl::string_view(file.data(), file.size()), ":",
                                 document.LineOf(path), ": ", path, ": ", violation.description()));
  }
  return lines;
}

v1::Text ReadText(YamlMap map) {
  v1::Text text;
  text.set_en(map.Optional("en").AsString());
  text.set_zh(map.Optional("zh").AsString());
  map.RefuseOthers();
  return text;
}

v1::LegalBasis ReadLegalBasis(YamlMap map) {
  v1::LegalBasis basis;
  basis.set_law(map.Required("law").AsString());
  basis.set_article(map.Required("article").AsString());
  basis.set_text(map.Optional("text").AsString());
  map.RefuseOthers();
  return basis;
}

int ReadEnum(const YamlNode& node, const std::vector<std::pair<std::string_view, int>>& words) {
  if (!node.present()) return 0;
  const std::string word = node.AsString();
  std::vector<std::string> known;
  for (const auto& [name, value] : words) {
    if (name == word) return value;
    known.emplace_back(name);
  }
  // A list or map was already noted by AsString.
  if (!node.is_map() && !node.is_list())
    node.Fail(absl::StrCat("one of ", absl::StrJoin(known, ", ")));
  return 0;
}

}  // namespace sluice::identity
