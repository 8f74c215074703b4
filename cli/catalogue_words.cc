#include "cli/catalogue_words.h"

#include <algorithm>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "cli/json.h"
#include "cli/times.h"
#include "cli/words.h"

namespace sluice::cli {

std::string LowerEnumWord(const google::protobuf::EnumDescriptor* type, int number) {
  const auto* value = type->FindValueByNumber(number);
  return value == nullptr || number == 0 ? "" : absl::AsciiStrToLower(EnumWord(*value));
}

std::string EntryClass(const v1::Dataset& dataset) {
  int most = dataset.metadata().data_class();
  if (most == v1::FIELD_CLASS_UNSPECIFIED)
    for (const v1::DatasetField& field : dataset.fields())
      most = std::max<int>(most, field.field_class());
  return most == 0 ? "" : absl::StrCat("L", most);
}

std::string PublicationWords(const v1::Dataset& dataset) {
  std::string words;
  if (dataset.publication() == v1::PUBLICATION_AWAITED) words = "awaits the authority's review";
  if (dataset.publication() == v1::PUBLICATION_RETURNED) words = "returned by the authority";
  if (!words.empty() && !dataset.publication_note().empty())
    absl::StrAppend(&words, ": ", dataset.publication_note());
  return words;
}

FailureLines MetadataLines(const Session& session, const v1::Dataset& dataset) {
  FailureLines lines;
  const auto add = [&lines](const char* label, const std::string& text) {
    if (!text.empty()) lines.emplace_back(label, text);
  };
  const v1::EntryMetadata& metadata = dataset.metadata();
  const v1::EntryReview& review = metadata.review();
  if (dataset.has_published())
    add("published", FormatDay(ToMicros(dataset.published()), session.environment.zone));
  add("publication", PublicationWords(dataset));
  add("code", metadata.code());
  add("owner's code", metadata.provider_code());
  add("category", absl::StrJoin(metadata.category(), " / "));
  add("entry class", EntryClass(dataset));
  add("format", metadata.data_format());
  std::vector<std::string> methods;
  for (const int method : metadata.methods())
    methods.push_back(LowerEnumWord(v1::SharingMethod_descriptor(), method));
  add("methods", absl::StrJoin(methods, ", "));
  add("scope", TitleOf(metadata.sharing_scope(), session.chinese()));
  add("conditions", TitleOf(metadata.use_conditions(), session.chinese()));
  add("public access", LowerEnumWord(v1::OpenAttribute_descriptor(), metadata.open()));
  add("related", absl::StrJoin(metadata.related(), ", "));
  add("secrecy review", review.secrecy_review());
  add("impact review", review.impact_assessment());
  add("approved by", absl::StrCat(review.approved_by(), review.approved_on().empty() ? "" : ", ",
                                  review.approved_on()));
  add("change", metadata.change_note());
  return lines;
}

}  // namespace sluice::cli
