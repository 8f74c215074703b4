#include "cli/dataset_draft.h"

#include <map>
#include <nlohmann/json.hpp>
#include <set>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "cli/display.h"
#include "gateway/records/row_batch.h"
#include "gateway/records/types.h"

namespace sluice::cli {
namespace {

constexpr size_t kLongestName = 63;

// A JSON string is one of YAML's.
std::string Quoted(const std::string& text) { return nlohmann::json(text).dump(); }

// What a comment may hold: one line.
std::string Comment(const std::string& text) { return Harmless(text); }

// "ID_NO" as "id_no"; what has no letters or digits of ASCII as "field_3".
std::string NameFor(const std::string& column, int place, std::set<std::string>& taken) {
  std::string name;
  for (const char c : column) {
    const char lower = absl::ascii_tolower(static_cast<unsigned char>(c));
    const bool fits = absl::ascii_isalnum(static_cast<unsigned char>(lower));
    if (fits) {
      name.push_back(lower);
    } else if (!name.empty() && name.back() != '_') {
      name.push_back('_');
    }
  }
  while (!name.empty() && name.back() == '_') name.pop_back();
  if (name.empty()) name = absl::StrCat("field_", place + 1);
  if (!absl::ascii_isalpha(static_cast<unsigned char>(name[0]))) name = "f_" + name;
  name.resize(std::min(name.size(), kLongestName - 4));
  std::string unique = name;
  for (int i = 2; !taken.insert(unique).second; ++i) unique = absl::StrCat(name, "_", i);
  return unique;
}

// Ids have hyphens where tables have all kinds of things.
std::string IdFor(const std::string& table) {
  std::set<std::string> none;
  std::string id = NameFor(table, 0, none);
  for (char& c : id)
    if (c == '_') c = '-';
  return id == "field-1" ? "table" : id;
}

std::string Proposals(const v1::TableDescription& table) {
  if (table.proposals().empty()) return "";
  std::string text =
      "# A look at its first rows proposes the following. Nothing acts on it: types go into the "
      "fields\n"
      "# below, settings into the source.\n";
  for (const std::string& proposal : table.proposals())
    absl::StrAppend(&text, "#   ", Comment(proposal), "\n");
  return text;
}

}  // namespace

std::string DraftDataset(const v1::DescribeSourceResponse& source,
                         const v1::TableDescription& table) {
  std::set<std::string> taken;
  std::vector<std::string> names, types;
  std::map<std::string, std::string> name_of;
  bool local_times = false;
  for (int i = 0; i < table.columns_size(); ++i) {
    const v1::ColumnDescription& column = table.columns(i);
    names.push_back(NameFor(column.name(), i, taken));
    name_of[column.name()] = names.back();
    const auto type = records::FromProto(column.type());
    types.push_back(type.ok() ? records::ToString(*type) : "");
    local_times = local_times || types.back() == "timestamp(local)";
  }
  std::vector<std::string> key;
  if (table.unique_keys_size() > 0)
    for (const std::string& column : table.unique_keys(0).columns())
      if (const auto name = name_of.find(column); name != name_of.end())
        key.push_back(name->second);
  std::string text = absl::StrCat(
      "# A draft of what source ", source.source(), " says of its table ", Comment(table.table()),
      ".\n# \"decide:\" marks what only you can know; nothing can be asked for before you apply "
      "it:\n"
      "#   sluice catalogue apply FILE --dry-run\n",
      Proposals(table), "dataset: ", source.owner_agency(), "/", IdFor(table.table()), "\n",
      "title: {en: \"\", zh: \"\"}            # decide: what people call it\n"
      "sharing: conditional               # decide: unconditional, conditional or withheld\n"
      "purposes: []                       # decide: codes of the authority's list, sluice purpose "
      "list\n"
      "update_cycle: irregular            # decide: realtime, daily, weekly, monthly, quarterly, "
      "yearly\n"
      "source: ",
      source.source(), "\nfrom: {table: ", Quoted(table.table()), "}\n");
  if (key.empty()) {
    text +=
        "# The source states no unique key. With one, answers have pages and streams resume:\n"
        "# key: []                          # decide: fields that together name a row\n";
  } else {
    absl::StrAppend(&text, "key: [", absl::StrJoin(key, ", "), "]\n");
  }
  text += "on_bad_value: stop                 # or null_and_count: never silent\n";
  if (local_times)
    text += "# time_zone: Asia/Shanghai         # decide: of the times without zone; needed\n";
  text +=
      "fields:                            # decide: take out what nobody needs; class L1 to L4,\n"
      "                                   # subject (CN-RID, …) and least_mask of what names a "
      "person\n";
  for (int i = 0; i < table.columns_size(); ++i) {
    const v1::ColumnDescription& column = table.columns(i);
    std::string line = absl::StrCat("{name: ", names[i]);
    if (names[i] != column.name()) absl::StrAppend(&line, ", column: ", Quoted(column.name()));
    const bool in_parentheses = types[i].find('(') != std::string::npos;
    absl::StrAppend(&line, ", type: ", in_parentheses ? Quoted(types[i]) : types[i], ", class: L4",
                    column.not_null() ? ", not_null: true" : "", "}");
    const std::string own = Comment(column.source_type());
    absl::StrAppend(&text, types[i].empty() ? "  # cannot be lent: - " : "  - ", line,
                    own.empty() ? "" : "  # " + own, "\n");
  }
  return text;
}

}  // namespace sluice::cli
