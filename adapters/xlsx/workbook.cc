#include "adapters/xlsx/workbook.h"

#include <map>

#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "adapters/files/errors.h"
#include "gateway/base/error.h"

namespace sluice::adapters::xlsx {
namespace {

constexpr size_t kMostSheets = 1'024;
constexpr size_t kMostStyles = 65'536;
constexpr size_t kMostRelations = 4'096;

std::string OrEmpty(const char* text) { return text == nullptr ? std::string() : text; }

bool IsTrue(const char* text) {
  return text != nullptr && (std::string_view(text) == "1" || std::string_view(text) == "true");
}

struct Relation {
  std::string type;    // behind the last slash
  std::string target;  // a part
};
using Relations = std::map<std::string, Relation>;

// `target` as seen from the folder of `base`, without dots; empty where it leads out.
std::string Resolved(std::string_view base, std::string_view target) {
  std::vector<std::string> path;
  const auto add = [&path](std::string_view text) {
    while (!text.empty()) {
      const size_t slash = std::min(text.find('/'), text.size());
      const std::string_view step = text.substr(0, slash);
      text.remove_prefix(std::min(slash + 1, text.size()));
      if (step.empty() || step == ".") continue;
      if (step == ".." && path.empty()) return false;
      if (step == "..") {
        path.pop_back();
      } else {
        path.emplace_back(step);
      }
    }
    return true;
  };
  const size_t folder = base.rfind('/');
  if (!target.starts_with('/') && folder != base.npos && !add(base.substr(0, folder))) return {};
  if (!add(target)) return {};
  std::string part;
  for (const std::string& step : path) part += (part.empty() ? "" : "/") + step;
  return part;
}

class RelationEvents : public XmlEvents {
 public:
  RelationEvents(std::string base, const std::string& table)
      : base_(std::move(base)), table_(table) {}
  void Start(std::string_view element, const Attributes& attributes) override {
    if (element != "Relationship" || OrEmpty(attributes.Find("TargetMode")) == "External") return;
    if (relations.size() == kMostRelations)
      return Stop(files::BadFile(table_, "the workbook has over 4096 relationships"));
    const std::string type = OrEmpty(attributes.Find("Type"));
    const size_t slash = type.rfind('/');
    relations[OrEmpty(attributes.Find("Id"))] = {
        slash == type.npos ? type : type.substr(slash + 1),
        Resolved(base_, OrEmpty(attributes.Find("Target")))};
  }
  void End(std::string_view) override {}
  void Text(std::string_view) override {}

  Relations relations;

 private:
  const std::string base_;
  const std::string& table_;
};

absl::StatusOr<Relations> ReadRelations(Archive& archive, std::string_view of,
                                        const std::string& table, const files::Watch& watch) {
  const size_t slash = of.rfind('/');
  const std::string folder(slash == of.npos ? "" : of.substr(0, slash + 1));
  const std::string name(slash == of.npos ? of : of.substr(slash + 1));
  RelationEvents events{std::string(of), table};
  SLUICE_RETURN_IF_ERROR(
      ReadXml(archive, absl::StrCat(folder, "_rels/", name, ".rels"), table, events, watch));
  return std::move(events.relations);
}

class WorkbookEvents : public XmlEvents {
 public:
  WorkbookEvents(const Relations& relations, Workbook& workbook, const std::string& table)
      : relations_(relations), workbook_(workbook), table_(table) {}

  void Start(std::string_view element, const Attributes& attributes) override {
    if (element == "workbookPr") workbook_.from_1904 = IsTrue(attributes.Find("date1904"));
    if (element != "sheet") return;
    if (workbook_.sheets.size() == kMostSheets)
      return Stop(files::BadFile(table_, "the workbook has over 1024 sheets, which is the most"));
    const auto relation = relations_.find(OrEmpty(attributes.FindRelation("id")));
    // Sheets of charts and macros have no cells.
    if (relation == relations_.end() || relation->second.type != "worksheet") return;
    const std::string state = OrEmpty(attributes.Find("state"));
    workbook_.sheets.push_back({OrEmpty(attributes.Find("name")), relation->second.target,
                                state.empty() || state == "visible"});
  }
  void End(std::string_view) override {}
  void Text(std::string_view) override {}

 private:
  const Relations& relations_;
  Workbook& workbook_;
  const std::string& table_;
};

class StyleEvents : public XmlEvents {
 public:
  StyleEvents(Workbook& workbook, const std::string& table) : workbook_(workbook), table_(table) {}

  void Start(std::string_view element, const Attributes& attributes) override {
    if (element == "cellXfs") in_cell_formats_ = true;
    const bool format = element == "xf" && in_cell_formats_;
    if (element != "numFmt" && !format) return;
    int id = 0;
    if (const char* const text = attributes.Find("numFmtId"); text != nullptr)
      (void)absl::SimpleAtoi(text, &id);
    if (kinds_.size() + workbook_.styles.size() >= kMostStyles)
      return Stop(files::BadFile(table_, "the workbook has over 65536 formats, which is the most"));
    if (!format) {
      kinds_[id] = KindOfFormat(OrEmpty(attributes.Find("formatCode")));
      return;
    }
    const auto own = kinds_.find(id);
    workbook_.styles.push_back(own == kinds_.end() ? KindOfBuiltIn(id) : own->second);
  }
  void End(std::string_view element) override {
    if (element == "cellXfs") in_cell_formats_ = false;
  }
  void Text(std::string_view) override {}

 private:
  Workbook& workbook_;
  const std::string& table_;
  std::map<int, NumberKind> kinds_;
  bool in_cell_formats_ = false;
};

std::string TargetOf(const Relations& relations, std::string_view type) {
  for (const auto& [id, relation] : relations)
    if (relation.type == type) return relation.target;
  return {};
}

}  // namespace

// The first section of the code decides: the others are for negative numbers and text.
NumberKind KindOfFormat(std::string_view code) {
  bool date = false, time = false, month = false;
  for (size_t i = 0; i < code.size() && code[i] != ';'; ++i) {
    const char c = absl::ascii_tolower(static_cast<unsigned char>(code[i]));
    if (c == '"') {
      i = std::min(code.find('"', i + 1), code.size());
    } else if (c == '\\' || c == '_' || c == '*') {
      ++i;
    } else if (c == '[') {
      const size_t end = std::min(code.find(']', i), code.size());
      const std::string inside =
          absl::AsciiStrToLower(std::string(code.substr(i + 1, end - i - 1)));
      // Hours, minutes or seconds that went by: a length of time.
      if (!inside.empty() && inside.find_first_not_of(inside[0]) == inside.npos &&
          (inside[0] == 'h' || inside[0] == 'm' || inside[0] == 's'))
        return NumberKind::kNumber;
      i = end;
    } else if (c == 'y' || c == 'd' || c == 'b') {
      date = true;
    } else if (c == 'h' || c == 's') {
      time = true;
    } else if (c == 'm') {
      month = true;
    } else if (c == 'g' && absl::AsciiStrToLower(std::string(code.substr(i, 7))) == "general") {
      return NumberKind::kNumber;
    } else if (c == '0' || c == '#' || c == '?') {
      // Digits belong to numbers; behind seconds they are a fraction of one.
      if (!time) return NumberKind::kNumber;
    }
  }
  if (date || (month && !time)) return NumberKind::kDate;
  return time ? NumberKind::kTime : NumberKind::kNumber;
}

// ECMA-376 part 1, 18.8.30, with those that East Asian programs have.
NumberKind KindOfBuiltIn(int id) {
  if (id >= 18 && id <= 21) return NumberKind::kTime;
  if (id == 45 || id == 47 || (id >= 32 && id <= 35)) return NumberKind::kTime;
  if ((id >= 14 && id <= 17) || id == 22) return NumberKind::kDate;
  if ((id >= 27 && id <= 31) || id == 36 || (id >= 50 && id <= 58)) return NumberKind::kDate;
  return NumberKind::kNumber;
}

absl::StatusOr<Workbook> ReadWorkbook(Archive& archive, const std::string& table, bool with_styles,
                                      const files::Watch& watch) {
  SLUICE_ASSIGN_OR_RETURN(const Relations package, ReadRelations(archive, "", table, watch));
  const std::string part = TargetOf(package, "officeDocument");
  if (part.ends_with(".bin"))
    return files::BadFile(table, "the file is a binary workbook (.xlsb): save it as .xlsx");
  if (part.empty()) return files::BadFile(table, "the archive holds no workbook");
  SLUICE_ASSIGN_OR_RETURN(const Relations relations, ReadRelations(archive, part, table, watch));
  Workbook workbook;
  WorkbookEvents events(relations, workbook, table);
  SLUICE_RETURN_IF_ERROR(ReadXml(archive, part, table, events, watch));
  if (workbook.sheets.empty()) return files::BadFile(table, "the workbook has no sheet with cells");
  workbook.shared_strings = TargetOf(relations, "sharedStrings");
  const std::string styles = TargetOf(relations, "styles");
  if (with_styles && !styles.empty()) {
    StyleEvents style_events(workbook, table);
    SLUICE_RETURN_IF_ERROR(ReadXml(archive, styles, table, style_events, watch));
  }
  return workbook;
}

}  // namespace sluice::adapters::xlsx
