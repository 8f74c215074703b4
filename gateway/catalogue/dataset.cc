#include "gateway/catalogue/dataset.h"

#include <algorithm>
#include <set>

#include "absl/strings/str_cat.h"
#include "gateway/audit/subjects.h"
#include "gateway/base/error.h"
#include "gateway/base/nearest.h"
#include "gateway/base/view.h"
#include "gateway/catalogue/entry_metadata.h"
#include "gateway/catalogue/mask_spec.h"
#include "gateway/catalogue/names.h"
#include "gateway/records/row_batch.h"
#include "gateway/records/utf8.h"

namespace sluice::catalogue {
namespace {

constexpr int kMaxFields = 256;
constexpr int kMaxPurposes = 64;
constexpr int kMaxAudience = 1000;
constexpr size_t kMaxText = 4096;
constexpr size_t kMaxSourceName = 256;  // of a table or column

// Notes every mistake of a definition; nothing stops at the first.
class Checker {
 public:
  explicit Checker(const v1::Dataset& definition) : definition_(definition) {}

  absl::StatusOr<DatasetPtr> Run() {
    dataset_->definition = definition_;
    Names();
    Sharing();
    Source();
    Fields();
    Key();
    if (!status_.ok()) return status_;
    dataset_->owner_agency = definition_.name().substr(0, definition_.name().find('/'));
    dataset_->schema = std::make_shared<const records::Schema>(std::move(schema_));
    return std::move(dataset_);
  }

 private:
  void Fail(std::string_view path, std::string_view mistake) {
    if (status_.ok()) {
      status_ = Error(v1::REASON_DEFINITION_INVALID, "the dataset's definition has mistakes.");
    }
    AddFieldViolation(status_, path, mistake);
  }

  void CheckText(std::string_view path, const v1::Text& text) {
    for (const std::string* one : {&text.en(), &text.zh()}) {
      if (one->size() > kMaxText || !records::ValidUtf8(*one)) {
        Fail(path, absl::StrCat("expected at most ", kMaxText, " bytes of UTF-8"));
      }
    }
  }

  void CheckSourceName(std::string_view path, const std::string& name) {
    const bool clean = std::none_of(name.begin(), name.end(), [](char c) {
      return static_cast<unsigned char>(c) < 0x20 || c == 0x7f;
    });
    if (!clean || name.size() > kMaxSourceName || !records::ValidUtf8(name)) {
      Fail(path, absl::StrCat("expected at most ", kMaxSourceName,
                              " bytes of UTF-8 without control characters"));
    }
  }

  void Names() {
    if (!IsDatasetName(definition_.name())) {
      Fail("name", absl::StrCat("expected agency/dataset, each ", View(kCodeForm)));
    }
    CheckText("title", definition_.title());
    CheckText("description", definition_.description());
  }

  bool withheld() const { return definition_.sharing() == v1::SHARING_ATTRIBUTE_WITHHELD; }

  void Sharing() {
    if (definition_.sharing() == v1::SHARING_ATTRIBUTE_UNSPECIFIED ||
        !v1::SharingAttribute_IsValid(definition_.sharing())) {
      Fail("sharing", "expected unconditional, conditional or withheld");
    }
    const v1::LegalBasis& law = definition_.withheld_by();
    if (withheld()) {
      if (law.law().empty()) Fail("withheld_by.law", "a withheld dataset cites the law");
      if (law.article().empty())
        Fail("withheld_by.article", "a withheld dataset cites the article");
    } else if (definition_.has_withheld_by()) {
      Fail("withheld_by", "stands on withheld datasets only");
    }
    if (!v1::UpdateCycle_IsValid(definition_.update_cycle())) {
      Fail("update_cycle", "is not one that this gateway knows");
    }
    if (!v1::OnBadValue_IsValid(definition_.on_bad_value())) {
      Fail("on_bad_value", "expected stop or null_and_count");
    }
    if (!v1::OnBadRecord_IsValid(definition_.on_bad_record())) {
      Fail("on_bad_record", "expected stop or reject_and_count");
    }
    if (!v1::DatasetState_IsValid(definition_.state())) Fail("state", "is not one that there is");
    Codes("purposes", definition_.purposes(), kMaxPurposes);
    if (definition_.purposes().empty() && !withheld()) {
      Fail("purposes", "expected at least one: grants may name no other");
    }
    Codes("audience", definition_.audience(), kMaxAudience);
    CheckMetadata(definition_.metadata(),
                  [this](std::string_view path, std::string_view mistake) { Fail(path, mistake); });
    if (!v1::Publication_IsValid(definition_.publication()))
      Fail("publication", "is not one that there is");
  }

  // Codes, each once.
  void Codes(std::string_view path, const google::protobuf::RepeatedPtrField<std::string>& codes,
             int most) {
    if (codes.size() > most) return Fail(path, absl::StrCat("expected at most ", most));
    std::set<std::string_view> seen;
    for (int i = 0; i < codes.size(); ++i) {
      const std::string place = absl::StrCat(View(path), "[", i, "]");
      if (!IsCode(codes[i])) Fail(place, absl::StrCat("expected ", View(kCodeForm)));
      if (!seen.insert(codes[i]).second) Fail(place, "stands there twice");
    }
  }

  void Source() {
    if (!IsCode(definition_.source()) && !(withheld() && definition_.source().empty())) {
      Fail("source", absl::StrCat("expected the source's id, ", View(kCodeForm)));
    }
    CheckSourceName("table", definition_.table());
  }

  void Fields() {
    if (definition_.fields().empty() || definition_.fields_size() > kMaxFields) {
      return Fail("fields", absl::StrCat("expected 1 to ", kMaxFields, " fields"));
    }
    std::set<std::string_view> seen;
    bool local_times = false;
    for (int i = 0; i < definition_.fields_size(); ++i) {
      const v1::DatasetField& field = definition_.fields(i);
      const std::string path = absl::StrCat("fields[", i, "]");
      if (!IsFieldName(field.name())) {
        Fail(absl::StrCat(path, ".name"), absl::StrCat("expected ", View(kFieldNameForm)));
      } else if (!seen.insert(field.name()).second) {
        Fail(absl::StrCat(path, ".name"), "another field has this name");
      }
      Field(i, path);
      local_times |= field.type().type() == v1::FIELD_TYPE_TIMESTAMP_LOCAL;
    }
    if (local_times && !IsZoneName(definition_.time_zone())) {
      Fail("time_zone",
           "expected an IANA name such as Asia/Shanghai: a field has times without zone");
    } else if (!local_times && !definition_.time_zone().empty()) {
      Fail("time_zone", "stands where a field has times without zone only");
    }
  }

  void Field(int i, const std::string& path) {
    const v1::DatasetField& field = definition_.fields(i);
    CheckSourceName(absl::StrCat(path, ".column"), field.column());
    CheckText(absl::StrCat(path, ".title"), field.title());
    if (field.field_class() == v1::FIELD_CLASS_UNSPECIFIED ||
        !v1::FieldClass_IsValid(field.field_class())) {
      Fail(absl::StrCat(path, ".field_class"), "expected L1, L2, L3 or L4");
    }
    const auto type = records::FromProto(field.type());
    if (!type.ok()) {
      Fail(absl::StrCat(path, ".type"),
           {type.status().message().data(), type.status().message().size()});
    }
    if (!field.subject().empty()) {
      dataset_->subject_fields.push_back(i);
      if (!audit::IsIdType(field.subject())) {
        std::string known;
        for (const std::string& id_type : audit::IdTypes()) {
          absl::StrAppend(&known, known.empty() ? "" : ", ", id_type);
        }
        Fail(absl::StrCat(path, ".subject"), absl::StrCat("expected an id type: ", known));
      }
      if (type.ok() && type->id != records::TypeId::kUtf8) {
        Fail(absl::StrCat(path, ".subject"), "a field that names data subjects is of type utf8");
      }
    }
    if (!type.ok()) return;
    if (field.has_least_mask()) {
      if (const absl::Status fits = MaskFits(field.least_mask(), *type); !fits.ok()) {
        Fail(absl::StrCat(path, ".least_mask"), {fits.message().data(), fits.message().size()});
      }
    }
    schema_.push_back({.name = field.name(), .type = *type, .nullable = !field.not_null()});
  }

  void Key() {
    std::set<int> seen;
    for (int i = 0; i < definition_.key_size(); ++i) {
      const std::string path = absl::StrCat("key[", i, "]");
      const auto index = dataset_->IndexOf(definition_.key(i));
      if (!index) {
        Fail(path, "there is no such field");
        continue;
      }
      if (!seen.insert(*index).second) Fail(path, "stands there twice");
      const v1::FieldType type = definition_.fields(*index).type().type();
      if (type == v1::FIELD_TYPE_FLOAT64 || type == v1::FIELD_TYPE_BINARY) {
        Fail(path, "a key has no float64 and no binary: they do not order the same everywhere");
      }
      dataset_->key.push_back(*index);
    }
  }

  const v1::Dataset& definition_;
  std::shared_ptr<Dataset> dataset_ = std::make_shared<Dataset>();
  std::vector<records::Field> schema_;
  absl::Status status_;
};

}  // namespace

std::optional<int> Dataset::IndexOf(std::string_view name) const {
  for (int i = 0; i < definition.fields_size(); ++i) {
    if (definition.fields(i).name() == name) return i;
  }
  return std::nullopt;
}

std::optional<std::string> Dataset::Nearest(std::string_view typed) const {
  std::vector<std::string_view> known;
  for (const auto& field : definition.fields()) known.push_back(field.name());
  return NearestName(typed, known);
}

absl::Status NoSuchDataset(std::string_view name) {
  return Error(v1::REASON_DATASET_UNKNOWN, "There is no such dataset.", {{"dataset", name}});
}

std::optional<std::string> NearestDataset(
    std::string_view typed, const std::map<std::string, DatasetPtr, std::less<>>& datasets,
    std::string_view agency) {
  std::vector<std::string_view> known;
  for (const auto& [name, dataset] : datasets)
    if (dataset->definition.state() != v1::DATASET_STATE_RETIRED &&
        InAudience(dataset->definition, agency))
      known.push_back(name);
  return NearestName(typed, known);
}

bool InAudience(const v1::Dataset& definition, std::string_view agency) {
  if (definition.name().substr(0, definition.name().find('/')) == agency) return true;
  const auto& audience = definition.audience();
  return IsPublished(definition) && (audience.empty() || std::find(audience.begin(), audience.end(),
                                                                   agency) != audience.end());
}

absl::StatusOr<DatasetPtr> Compile(const v1::Dataset& definition) {
  return Checker(definition).Run();
}

}  // namespace sluice::catalogue
