#include "gateway/catalogue/entry_metadata.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "absl/time/civil_time.h"
#include "gateway/base/view.h"
#include "gateway/identity/definitions.h"
#include "gateway/identity/yaml_file.h"
#include "gateway/records/utf8.h"

namespace sluice::catalogue {
namespace {

using identity::ReadEnum;

constexpr int kMostCategories = 4;
constexpr int kMostMethods = 3;
constexpr int kMostRelated = 64;
constexpr size_t kMostWords = 256;  // of a code, a class, a paper's reference
constexpr size_t kMostProse = 4096;

bool Fits(const std::string& text, size_t most) {
  return text.size() <= most && records::ValidUtf8(text);
}

bool IsDay(const std::string& text) {
  absl::CivilDay day;
  return text.size() == 10 && absl::ParseCivilTime(text, &day) &&
         absl::FormatCivilTime(day) == text;
}

// Tells mistakes under "metadata.".
class MetadataChecker {
 public:
  explicit MetadataChecker(const TellMistake& mistake) : mistake_(mistake) {}

  void Words(std::string_view path, const std::string& text) const {
    if (!Fits(text, kMostWords)) TooLong(path, kMostWords);
  }
  void Prose(std::string_view path, const v1::Text& text) const {
    if (!Fits(text.en(), kMostProse) || !Fits(text.zh(), kMostProse)) TooLong(path, kMostProse);
  }
  void List(std::string_view path, const google::protobuf::RepeatedPtrField<std::string>& list,
            int most) const {
    if (list.size() > most) Fail(path, absl::StrCat("expected at most ", most));
    for (int i = 0; i < list.size(); ++i) {
      const std::string place = absl::StrCat(View(path), "[", i, "]");
      if (records::IsBlank(list[i])) Fail(place, "is empty");
      Words(place, list[i]);
    }
  }
  void Fail(std::string_view path, std::string_view mistake) const {
    mistake_(absl::StrCat("metadata.", View(path)), mistake);
  }

 private:
  void TooLong(std::string_view path, size_t most) const {
    Fail(path, absl::StrCat("expected at most ", most, " bytes of UTF-8"));
  }
  const TellMistake& mistake_;
};

void ReadReview(YamlMap map, v1::EntryReview& review) {
  review.set_secrecy_review(map.Optional("secrecy_review").AsString());
  review.set_impact_assessment(map.Optional("impact_assessment").AsString());
  review.set_approved_by(map.Optional("approved_by").AsString());
  review.set_approved_on(map.Optional("approved_on").AsString());
  map.RefuseOthers();
}

}  // namespace

std::optional<PublicationRule> PublicationRuleFromWord(std::string_view word) {
  if (word == "owner") return PublicationRule::kOwner;
  if (word == "authority") return PublicationRule::kAuthority;
  return std::nullopt;
}

void CheckMetadata(const v1::EntryMetadata& metadata, const TellMistake& mistake) {
  const MetadataChecker check(mistake);
  check.Words("code", metadata.code());
  check.Words("provider_code", metadata.provider_code());
  check.List("category", metadata.category(), kMostCategories);
  check.Words("data_format", metadata.data_format());
  if (metadata.methods_size() > kMostMethods)
    check.Fail("methods", absl::StrCat("expected at most ", kMostMethods));
  for (int i = 0; i < metadata.methods_size(); ++i) {
    const std::string place = absl::StrCat("methods[", i, "]");
    const auto& methods = metadata.methods();
    if (methods[i] == 0 || !v1::SharingMethod_IsValid(methods[i]))
      check.Fail(place, "expected interface, bulk or file");
    else if (std::find(methods.begin(), methods.begin() + i, methods[i]) != methods.begin() + i)
      check.Fail(place, "stands there twice");
  }
  check.Prose("sharing_scope", metadata.sharing_scope());
  check.Prose("use_conditions", metadata.use_conditions());
  if (!v1::OpenAttribute_IsValid(metadata.open()))
    check.Fail("open", "expected open, on_request or closed");
  check.List("related", metadata.related(), kMostRelated);
  if (!v1::FieldClass_IsValid(metadata.data_class()))
    check.Fail("data_class", "expected L1, L2, L3 or L4");
  const v1::EntryReview& review = metadata.review();
  check.Words("review.secrecy_review", review.secrecy_review());
  check.Words("review.impact_assessment", review.impact_assessment());
  check.Words("review.approved_by", review.approved_by());
  if (!review.approved_on().empty() && !IsDay(review.approved_on()))
    check.Fail("review.approved_on", "expected a day such as 2026-11-24");
  if (!Fits(metadata.change_note(), kMostProse))
    check.Fail("change_note", absl::StrCat("expected at most ", kMostProse, " bytes of UTF-8"));
}

absl::Status CheckForPublication(const v1::Dataset& definition) {
  identity::Mistakes mistakes;
  const auto need = [&mistakes](std::string_view path, const std::string& text,
                                std::string_view why) {
    if (records::IsBlank(text)) mistakes.Add(absl::StrCat("dataset.metadata.", View(path)), why);
  };
  const v1::EntryMetadata& metadata = definition.metadata();
  if (definition.sharing() == v1::SHARING_ATTRIBUTE_CONDITIONAL) {
    const v1::Text& scope = metadata.sharing_scope();
    need("sharing_scope", scope.en() + scope.zh(),
         "a conditional entry says who may have it (Decree 809, Art. 15)");
    if (definition.purposes().empty())
      mistakes.Add("dataset.purposes", "a conditional entry says what for (Decree 809, Art. 15)");
  }
  need("review.secrecy_review", metadata.review().secrecy_review(),
       "needed: the paper of the examination for secrets (Decree 809, Art. 13)");
  need("review.approved_by", metadata.review().approved_by(),
       "needed: the head who approved the entry (Decree 809, Art. 13)");
  const bool personal = std::any_of(definition.fields().begin(), definition.fields().end(),
                                    [](const v1::DatasetField& field) {
                                      return field.field_class() >= v1::FIELD_CLASS_L3_PERSONAL;
                                    });
  if (personal)
    need("review.impact_assessment", metadata.review().impact_assessment(),
         "needed where a field is L3 or above: the paper of the assessment of the impact on "
         "personal information (Decree 809, Art. 13)");
  return mistakes.ToStatus();
}

bool IsPublished(const v1::Dataset& definition) {
  return definition.publication() == v1::PUBLICATION_UNSPECIFIED ||
         definition.publication() == v1::PUBLICATION_PUBLISHED;
}

void ReadMetadata(YamlMap map, v1::EntryMetadata& metadata) {
  metadata.set_code(map.Optional("code").AsString());
  metadata.set_provider_code(map.Optional("provider_code").AsString());
  for (const auto& category : map.Optional("category").AsStrings()) metadata.add_category(category);
  metadata.set_data_format(map.Optional("data_format").AsString());
  for (const YamlNode& node : map.Optional("methods").AsList())
    metadata.add_methods(
        static_cast<v1::SharingMethod>(ReadEnum(node, {{"interface", v1::SHARING_METHOD_INTERFACE},
                                                       {"bulk", v1::SHARING_METHOD_BULK},
                                                       {"file", v1::SHARING_METHOD_FILE}})));
  if (const YamlNode scope = map.Optional("sharing_scope"); scope.present())
    *metadata.mutable_sharing_scope() = identity::ReadText(scope.AsMap());
  if (const YamlNode conditions = map.Optional("use_conditions"); conditions.present())
    *metadata.mutable_use_conditions() = identity::ReadText(conditions.AsMap());
  if (const YamlNode open = map.Optional("open"); open.present())
    metadata.set_open(static_cast<v1::OpenAttribute>(
        ReadEnum(open, {{"open", v1::OPEN_ATTRIBUTE_OPEN},
                        {"on_request", v1::OPEN_ATTRIBUTE_ON_REQUEST},
                        {"closed", v1::OPEN_ATTRIBUTE_CLOSED}})));
  for (const auto& code : map.Optional("related").AsStrings()) metadata.add_related(code);
  if (const YamlNode data_class = map.Optional("data_class"); data_class.present())
    metadata.set_data_class(static_cast<v1::FieldClass>(
        ReadEnum(data_class, {{"L1", v1::FIELD_CLASS_L1_OPEN},
                              {"L2", v1::FIELD_CLASS_L2_INTERNAL},
                              {"L3", v1::FIELD_CLASS_L3_PERSONAL},
                              {"L4", v1::FIELD_CLASS_L4_HIGHLY_SENSITIVE}})));
  if (const YamlNode review = map.Optional("review"); review.present())
    ReadReview(review.AsMap(), *metadata.mutable_review());
  metadata.set_change_note(map.Optional("change_note").AsString());
  map.RefuseOthers();
}

}  // namespace sluice::catalogue
