// What the files that people apply have in common: one YAML document, every mistake of which is
// named with file, line and path.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "gateway/base/yaml.h"
#include "sluice/v1/catalogue.pb.h"
#include "sluice/v1/sharing.pb.h"

namespace sluice::identity {

// OK, or DEFINITION_INVALID with all mistakes, a line each: "persons.yaml:7: fields[2].type: …".
absl::Status YamlStatus(const YamlDocument& document);

// Paths of a message, without indices, as its file spells them where the two differ; "[*]" stands
// for an index, and a first part with its dot for all below it. {"table", "from.table"},
// {"fields.field_class", "fields[*].class"}, {"settings.", ""}.
using YamlNames = std::map<std::string, std::string, std::less<>>;

// The field violations of an answer as lines of the file that was sent: "dataset.fields[2].type" is
// looked up as "fields[2].type". Empty where the status has none.
std::vector<std::string> PlaceViolations(const absl::Status& status, const YamlDocument& document,
                                         std::string_view file, std::string_view message,
                                         const YamlNames& names);

// {en: …, zh: …}; both may be left out.
v1::Text ReadText(YamlMap map);
// {law, article, text}; law and article are needed.
v1::LegalBasis ReadLegalBasis(YamlMap map);

// The value of the enum `Prefix_WORD` for a lower-case word; 0 and a mistake at the node, which
// lists the words, for another. 0 alone where the node is absent.
int ReadEnum(const YamlNode& node, const std::vector<std::pair<std::string_view, int>>& words);

}  // namespace sluice::identity
