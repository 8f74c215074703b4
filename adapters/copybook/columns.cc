#include "adapters/copybook/columns.h"

#include <algorithm>
#include <map>
#include <set>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "adapters/copybook/picture.h"
#include "gateway/base/error.h"
#include "gateway/base/view.h"

namespace sluice::adapters::copybook {
namespace {

using records::DataType;
using records::TypeId;

absl::Status Wrong(std::string_view setting, std::string_view what) {
  return absl::InvalidArgumentError(absl::StrCat("setting '", View(setting), "' ", View(what)));
}

absl::Status NamesWrong(std::string_view setting, const absl::Status& status) {
  return Wrong(setting, absl::StrCat("names ", status.message()));
}

std::string Upper(std::string_view text) { return absl::AsciiStrToUpper(View(text)); }

class Planner {
 public:
  Planner(std::shared_ptr<const Shape> shape, const CopybookSettings& settings,
          const files::TableName& table)
      : settings_(settings), file_(table.file), table_(table.Full()), part_(table.part) {
    layout_.shape = std::move(shape);
    shape_ = layout_.shape.get();
  }

  absl::StatusOr<TableLayout> Plan() {
    shown_.assign(shape_->nodes().size(), true);
    SLUICE_RETURN_IF_ERROR(FindPath());
    SLUICE_RETURN_IF_ERROR(HideItems());
    SLUICE_RETURN_IF_ERROR(FindSegments());
    SLUICE_RETURN_IF_ERROR(FindRedefines());
    SLUICE_RETURN_IF_ERROR(FindOptions());
    NameLeaves();
    SLUICE_RETURN_IF_ERROR(AddGenerated());
    for (size_t node = 1; node < shape_->nodes().size(); ++node)
      if (shape_->nodes()[node].leaf >= 0 && shown_[node])
        SLUICE_RETURN_IF_ERROR(AddLeaf(static_cast<int>(node)));
    if (layout_.columns.empty())
      return absl::InvalidArgumentError("the copybook gives no column: only FILLER is left");
    SLUICE_RETURN_IF_ERROR(CheckNames());
    return std::move(layout_);
  }

 private:
  // The tables that `rows` names, and those around it.
  absl::Status FindPath() {
    const std::string name = settings_.ForTable("rows", file_, table_);
    if (name.empty()) return absl::OkStatus();
    const auto node = shape_->FindNode(name);
    if (!node.ok()) return NamesWrong("rows", node.status());
    int table = shape_->nodes()[*node].table;
    if (table < 0) return Wrong("rows", "names an item that does not occur");
    for (; table >= 0; table = shape_->tables()[table].outer) layout_.path.push_back(table);
    std::reverse(layout_.path.begin(), layout_.path.end());
    return absl::OkStatus();
  }

  void Hide(int node) {
    for (int i = node; i < shape_->nodes()[node].end; ++i) shown_[i] = false;
  }

  absl::Status HideItems() {
    for (const std::string& name : settings_.leave_out) {
      const auto node = shape_->FindNode(name);
      if (!node.ok()) return NamesWrong("leave_out", node.status());
      Hide(*node);
    }
    if (!settings_.fillers)
      for (size_t i = 1; i < shape_->nodes().size(); ++i)
        if (shape_->nodes()[i].item->filler && shape_->nodes()[i].leaf >= 0) shown_[i] = false;
    return absl::OkStatus();
  }

  // The first of those that lie over one another.
  int BaseOf(int node) const {
    while (shape_->nodes()[node].redefines >= 0) node = shape_->nodes()[node].redefines;
    return node;
  }

  absl::Status FindSegments() {
    if (settings_.segment_field.empty()) return absl::OkStatus();
    const auto leaf = shape_->FindLeaf(settings_.segment_field);
    if (!leaf.ok()) return NamesWrong("segment_field", leaf.status());
    if (!shape_->leaves()[*leaf].tables.empty())
      return Wrong("segment_field", "names a field that occurs several times");
    layout_.segment_leaf = *leaf;
    std::set<std::string> seen;
    for (const SegmentText& segment : settings_.segments) {
      const std::string setting = "segment_group." + segment.name;
      auto& values = segment.name == part_ ? layout_.segment_values : layout_.other_values;
      values.insert(values.end(), segment.values.begin(), segment.values.end());
      for (const std::string& value : segment.values)
        if (!seen.insert(value).second)
          return Wrong("segment." + segment.name, "has a value that another segment has");
      if (segment.group.empty()) continue;
      const auto node = shape_->FindNode(segment.group);
      if (!node.ok()) return NamesWrong(setting, node.status());
      const int base = BaseOf(*node);
      int members = 0;
      for (size_t other = 1; other < shape_->nodes().size(); ++other) {
        if (BaseOf(static_cast<int>(other)) != base) continue;
        ++members;
        if (segment.name == part_ && static_cast<int>(other) != *node)
          Hide(static_cast<int>(other));
      }
      if (members < 2) return Wrong(setting, "names an item that no other REDEFINES");
    }
    return absl::OkStatus();
  }

  absl::Status FindRedefines() {
    for (const auto& [name, text] : settings_.redefines) {
      const auto node = shape_->FindNode(name);
      if (!node.ok()) return NamesWrong("redefines." + name, node.status());
      const auto leaf = shape_->FindLeaf(text.field);
      if (!leaf.ok()) return NamesWrong("redefines." + name, leaf.status());
      conditions_.push_back({*node, *leaf, &text.values, "redefines." + name});
    }
    return absl::OkStatus();
  }

  // Each leaf by its own name, and those that share one by as many of their groups' as tell them
  // apart.
  void NameLeaves() {
    std::map<std::string, std::vector<int>> same;
    int filler = 0;
    names_.resize(shape_->leaves().size());
    for (size_t node = 1; node < shape_->nodes().size(); ++node) {
      const int leaf = shape_->nodes()[node].leaf;
      if (leaf < 0) continue;
      const Item& item = *shape_->nodes()[node].item;
      if (item.filler) {
        names_[leaf] = absl::StrCat("FILLER_P", ++filler);
      } else if (shown_[node]) {
        same[Upper(item.name)].push_back(leaf);
      }
    }
    for (const auto& [name, leaves] : same)
      for (const int leaf : leaves) names_[leaf] = NameOf(leaf, leaves);
    if (!settings_.underscores) return;
    for (std::string& name : names_) name = absl::StrReplaceAll(name, {{"-", "_"}});
  }

  // The item's name and those of the groups around it, innermost first, as they are spelt.
  std::vector<std::string> NamesOf(int leaf) const {
    std::vector<std::string> names;
    const bool many = shape_->root().items.size() > 1;
    for (const Item* at = shape_->leaves()[leaf].item; at->parent != nullptr; at = at->parent) {
      const bool record = at->parent->parent == nullptr && at->group();
      if (!at->filler && (!record || many || names.empty())) names.push_back(at->name);
    }
    return names;
  }

  static std::string Joined(const std::vector<std::string>& names, size_t count) {
    std::vector<std::string> some(
        names.begin(), names.begin() + static_cast<int64_t>(std::min(count, names.size())));
    std::reverse(some.begin(), some.end());
    return absl::StrJoin(some, ".");
  }

  std::string NameOf(int leaf, const std::vector<int>& leaves) const {
    const std::vector<std::string> names = NamesOf(leaf);
    size_t count = settings_.qualified ? names.size() : 1;
    for (; count < names.size(); ++count) {
      const std::string name = Upper(Joined(names, count));
      const bool told = std::none_of(leaves.begin(), leaves.end(), [&](int other) {
        return other != leaf && Upper(Joined(NamesOf(other), count)) == name;
      });
      if (told) break;
    }
    return Joined(names, count);
  }

  absl::Status AddGenerated() {
    using Kind = ColumnPlan::Kind;
    const std::pair<const std::string&, Kind> generated[] = {
        {settings_.record_number, Kind::kRecordNumber},
        {settings_.occurrence_number, Kind::kOccurrenceNumber},
        {settings_.record_length_column, Kind::kRecordLength}};
    for (const auto& [name, kind] : generated) {
      if (name.empty()) continue;
      ColumnPlan plan;
      plan.kind = kind;
      SLUICE_RETURN_IF_ERROR(Add(name, {TypeId::kInt64}, false, "number", std::move(plan)));
    }
    return absl::OkStatus();
  }

  absl::Status Add(const std::string& name, const DataType& usual, bool nullable,
                   std::string source_type, ColumnPlan plan) {
    if (layout_.columns.size() == kMostColumns)
      return absl::InvalidArgumentError(
          absl::StrCat("over ", kMostColumns,
                       " columns: leave items out (leave_out), or make an "
                       "OCCURS into rows (rows)"));
    const auto stated = settings_.rules.TypeOf(table_, name);
    layout_.columns.push_back({name, stated.value_or(usual), nullable, std::move(source_type)});
    layout_.plans.push_back(std::move(plan));
    return absl::OkStatus();
  }

  DataType UsualType(const Leaf& leaf) const {
    if (leaf.item->group()) return {TypeId::kUtf8};
    if (leaf.item->usage == Usage::kFloat || leaf.item->usage == Usage::kDouble)
      return {TypeId::kFloat64};
    const Picture& picture = *leaf.item->picture;
    const bool number = picture.kind == Picture::Kind::kNumber ||
                        (picture.kind == Picture::Kind::kEdited && settings_.edited_numbers);
    if (!number) return {TypeId::kUtf8};
    return NumberType(picture.digits, picture.scale).value_or(DataType{TypeId::kUtf8});
  }

  bool OnPath(int table) const {
    return std::find(layout_.path.begin(), layout_.path.end(), table) != layout_.path.end();
  }

  // The columns of a leaf: one for each way to choose occurrences that are not the row's.
  absl::Status AddLeaf(int node) {
    const int leaf = shape_->nodes()[node].leaf;
    const Leaf& what = shape_->leaves()[leaf];
    const std::string how = settings_.ForTable("occurs", file_, table_);
    std::vector<int64_t> index(what.tables.size(), 0);
    for (;;) {
      ColumnPlan plan;
      plan.leaf = leaf;
      plan.element = ElementOf(what.tables, what.tables, index);
      std::string name = names_[leaf];
      for (size_t i = 0; i < what.tables.size(); ++i) {
        if (OnPath(what.tables[i])) continue;
        absl::StrAppend(&name, "_", index[i] + 1);
        if (how != "columns") AddGuard(what.tables, i, index, plan);
      }
      SLUICE_RETURN_IF_ERROR(AddConditions(node, what.tables, index, plan));
      SLUICE_RETURN_IF_ERROR(Add(name, UsualType(what), true, what.item->Type(), std::move(plan)));
      size_t at = index.size();
      for (; at > 0; --at) {
        const int table = what.tables[at - 1];
        if (OnPath(table)) continue;
        if (++index[at - 1] < shape_->tables()[table].most) break;
        index[at - 1] = 0;
      }
      if (at == 0) return absl::OkStatus();
    }
  }

  // The element of what lies in `wanted`, which begins `tables`, at these indices of theirs.
  Element ElementOf(const std::vector<int>& wanted, const std::vector<int>& tables,
                    const std::vector<int64_t>& index) const {
    Element element;
    std::vector<int64_t> steps(layout_.path.size(), 0);
    int64_t step = 1;
    bool moves = false;
    for (size_t i = wanted.size(); i-- > 0;) {
      const auto on_path = std::find(layout_.path.begin(), layout_.path.end(), tables[i]);
      if (on_path == layout_.path.end()) {
        element.base += index[i] * step;
      } else {
        steps[static_cast<size_t>(on_path - layout_.path.begin())] = step;
        moves = true;
      }
      step *= shape_->tables()[tables[i]].most;
    }
    if (moves) element.steps = std::move(steps);
    return element;
  }

  void AddGuard(const std::vector<int>& tables, size_t at, const std::vector<int64_t>& index,
                ColumnPlan& plan) const {
    if (shape_->tables()[tables[at]].counter < 0) return;
    const std::vector<int> around(tables.begin(), tables.begin() + static_cast<int64_t>(at));
    plan.guards.push_back({tables[at], ElementOf(around, tables, index), index[at]});
  }

  // A leaf that another column hangs on must be there once for each of that column's.
  absl::StatusOr<Element> Beside(int leaf, const std::vector<int>& tables,
                                 const std::vector<int64_t>& index,
                                 std::string_view setting) const {
    const std::vector<int>& own = shape_->leaves()[leaf].tables;
    if (own.size() > tables.size() || !std::equal(own.begin(), own.end(), tables.begin()))
      return Wrong(setting, "names a field that occurs more often than what hangs on it");
    return ElementOf(own, tables, index);
  }

  absl::Status AddConditions(int node, const std::vector<int>& tables,
                             const std::vector<int64_t>& index, ColumnPlan& plan) const {
    for (const auto& [outer, leaf, values, setting] : conditions_) {
      if (node < outer || node >= shape_->nodes()[outer].end) continue;
      SLUICE_ASSIGN_OR_RETURN(Element element, Beside(leaf, tables, index, setting));
      plan.holds.push_back({leaf, std::move(element), *values});
    }
    const int own = shape_->nodes()[node].leaf;
    if (const auto found = null_if_.find(own); found != null_if_.end()) {
      const auto& [leaf, values, setting] = found->second;
      SLUICE_ASSIGN_OR_RETURN(Element element, Beside(leaf, tables, index, setting));
      plan.null_if = Condition{leaf, std::move(element), *values};
    }
    if (const auto found = length_of_.find(own); found != length_of_.end()) {
      plan.length_leaf = found->second.leaf;
      SLUICE_ASSIGN_OR_RETURN(plan.length_element,
                              Beside(plan.length_leaf, tables, index, found->second.setting));
    }
    return absl::OkStatus();
  }

  // The settings that are said of one field each.
  absl::Status FindOptions() {
    const auto find = [this](const std::string& setting, const std::string& name, int& leaf) {
      const auto found = shape_->FindLeaf(name);
      if (!found.ok()) return NamesWrong(setting, found.status());
      leaf = *found;
      return absl::OkStatus();
    };
    int own = 0, other = 0;
    for (const auto& [name, text] : settings_.null_if) {
      const std::string setting = "null_if." + name;
      SLUICE_RETURN_IF_ERROR(find(setting, name, own));
      SLUICE_RETURN_IF_ERROR(find(setting, text.field, other));
      null_if_[own] = {other, &text.values, setting};
    }
    for (const auto& [name, field] : settings_.length_of) {
      const std::string setting = "length_of." + name;
      SLUICE_RETURN_IF_ERROR(find(setting, name, own));
      SLUICE_RETURN_IF_ERROR(find(setting, field, other));
      if (!shape_->leaves()[other].number())
        return Wrong(setting, "names a field that is no number");
      length_of_[own] = {other, nullptr, setting};
    }
    return absl::OkStatus();
  }

  absl::Status CheckNames() const {
    std::set<std::string> seen;
    for (const ColumnDescription& column : layout_.columns)
      if (!seen.insert(Upper(column.name)).second)
        return absl::InvalidArgumentError(
            absl::StrCat("two columns would be called '", column.name,
                         "': set qualified to always, or leave one out (leave_out)"));
    return absl::OkStatus();
  }

  struct NodeCondition {
    int node;
    int leaf;
    const std::vector<std::string>* values;
    std::string setting;
  };

  const CopybookSettings& settings_;
  const std::string file_, table_, part_;
  TableLayout layout_;
  const Shape* shape_;
  std::vector<bool> shown_;         // by node
  std::vector<std::string> names_;  // by leaf
  std::vector<NodeCondition> conditions_;
  struct Option {
    int leaf = 0;
    const std::vector<std::string>* values = nullptr;
    std::string setting;
  };
  std::map<int, Option> null_if_, length_of_;  // by leaf
};

}  // namespace

absl::StatusOr<TableLayout> PlanColumns(std::shared_ptr<const Shape> shape,
                                        const CopybookSettings& settings,
                                        const files::TableName& table) {
  return Planner(std::move(shape), settings, table).Plan();
}

}  // namespace sluice::adapters::copybook
