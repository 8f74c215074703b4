#include "adapters/copybook/shape.h"

#include <algorithm>
#include <cmath>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "adapters/copybook/scanner.h"
#include "gateway/base/error.h"
#include "gateway/base/view.h"

namespace sluice::adapters::copybook {
namespace {

constexpr int64_t kMostRecord = int64_t{1} << 30;
constexpr int64_t kMostElements = 1'000'000;

int64_t BinarySize(int digits, bool small) {
  if (small && digits <= 2) return 1;
  if (digits <= 4) return 2;
  if (digits <= 9) return 4;
  if (digits <= 18) return 8;
  return static_cast<int64_t>(std::ceil((digits * std::log2(10.0) + 1) / 8));
}

// Whether `path` ends in `names`, with groups left out between them.
bool Matches(const std::vector<std::string>& path, const std::vector<std::string>& names) {
  if (path.empty() || names.empty() || path.back() != names.back()) return false;
  size_t at = names.size() - 1;
  for (size_t i = path.size() - 1; i > 0 && at > 0; --i)
    if (path[i - 1] == names[at - 1]) --at;
  return at == 0;
}

std::vector<std::string> NamesIn(std::string_view name) {
  return absl::StrSplit(absl::AsciiStrToUpper(View(name)), '.');
}

bool BeginsWith(const std::vector<int>& all, const std::vector<int>& first) {
  return first.size() <= all.size() && std::equal(first.begin(), first.end(), all.begin());
}

}  // namespace

std::vector<std::string> PathOf(const Item& item) {
  std::vector<std::string> path;
  for (const Item* at = &item; at->parent != nullptr; at = at->parent)
    if (!at->filler) path.push_back(absl::AsciiStrToUpper(at->name));
  std::reverse(path.begin(), path.end());
  return path;
}

NumberForm Shape::FormOf(const Item& item) const {
  NumberForm form;
  form.usage = item.usage;
  form.relaxed = options_.relaxed;
  form.limited = options_.limited_binaries;
  form.floats = options_.floats;
  form.classes = &classes_;
  form.sign = item.sign;
  form.little = item.usage == Usage::kLittleEndian ||
                (item.usage == Usage::kNative && options_.native_little) ||
                (item.usage == Usage::kBinary && options_.comp_little);
  if (!item.picture) return form;
  const Picture& picture = *item.picture;
  form.digits = picture.digits;
  form.scale = picture.scale;
  form.is_signed = picture.is_signed;
  form.edited = picture.kind == Picture::Kind::kEdited;
  form.point = picture.point;
  const bool apart =
      item.sign == SignPlace::kLeadingSeparate || item.sign == SignPlace::kTrailingSeparate;
  // A stated SIGN … SEPARATE has its place even where S was left out.
  form.separate = apart && item.usage == Usage::kDisplay &&
                  picture.kind == Picture::Kind::kNumber && (picture.is_signed || item.sign_stated);
  // A text of digits can be a count.
  if (picture.kind == Picture::Kind::kText) form.digits = static_cast<int>(picture.size);
  return form;
}

int64_t Shape::SizeOf(const Item& item) const {
  if (item.usage == Usage::kFloat) return 4;
  if (item.usage == Usage::kDouble) return 8;
  const Picture& picture = *item.picture;
  switch (item.usage) {
    case Usage::kBinary:
    case Usage::kNative:
    case Usage::kLittleEndian:
      return BinarySize(picture.digits, options_.small_binaries);
    case Usage::kPacked:
      return picture.digits / 2 + 1;
    case Usage::kPackedNoSign:
      return (picture.digits + 1) / 2;
    case Usage::kNational:
    case Usage::kDbcs:
      return picture.size * 2;
    default:
      return picture.size + (FormOf(item).separate ? 1 : 0);
  }
}

void Shape::AddLeaf(const Item& item, const std::vector<int>& around, int node, int64_t size) {
  Leaf leaf;
  leaf.item = &item;
  leaf.size = size;
  leaf.tables = around;
  for (const int table : around) leaf.elements *= tables_[table].most;
  leaf.form = FormOf(item);
  leaf.form.bytes = leaf.size;
  nodes_[node].leaf = static_cast<int>(leaves_.size());
  leaves_.push_back(std::move(leaf));
}

absl::StatusOr<int> Shape::AddTable(const Item& item, const std::vector<int>& around) {
  Table table;
  table.item = &item;
  table.outer = around.empty() ? -1 : around.back();
  table.most = item.occurs->most;
  for (const int outer : around) table.around *= tables_[outer].most;
  if (table.around > kMostElements / table.most)
    return AtLine(item.line, absl::StrCat("over ", kMostElements, " elements in a record"));
  if (!item.occurs->depends_on.empty()) {
    std::vector<std::string> names = item.occurs->depends_on;
    std::reverse(names.begin(), names.end());
    // The last before the table that stands once for each time that the table does.
    for (size_t i = 0; i < leaves_.size(); ++i)
      if (!leaves_[i].item->group() && Matches(PathOf(*leaves_[i].item), names) &&
          BeginsWith(around, leaves_[i].tables))
        table.counter = static_cast<int>(i);
    if (table.counter < 0)
      return AtLine(item.line, absl::StrCat("DEPENDING ON ", item.occurs->depends_on[0],
                                            " names no item before the table"));
    const Leaf& counter = leaves_[table.counter];
    const bool digits = counter.item->picture &&
                        counter.item->picture->kind == Picture::Kind::kText && counter.size <= 18;
    const bool number = counter.number() && counter.item->picture;
    if (!digits && (!number || counter.item->picture->scale > 0))
      return AtLine(item.line, absl::StrCat("DEPENDING ON ", item.occurs->depends_on[0],
                                            " names no whole number"));
    moves_ = moves_ || options_.variable;
  }
  tables_.push_back(table);
  return static_cast<int>(tables_.size()) - 1;
}

absl::Status Shape::AddGroup(const Item& item, std::vector<int>& around) {
  const auto group = static_cast<int>(nodes_.size()) - 1;
  std::vector<int> siblings;
  struct Begin {
    int64_t firm = 0, most = 0;
  };
  std::vector<Begin> begins;
  int64_t least = 0, firm = 0, most = 0;
  for (const auto& inner : item.items) {
    const auto at = static_cast<int>(nodes_.size());
    SLUICE_RETURN_IF_ERROR(Add(*inner, around));
    Begin begin = {firm, most};
    const size_t over = RedefinedBy(*inner, item, siblings);
    if (over < siblings.size()) {
      nodes_[at].redefines = siblings[over];
      begin = begins[over];
      // The shortest of those that lie over one another may end the record.
      least = std::min(least, begin.firm + nodes_[at].least);
    } else {
      least = begin.firm + nodes_[at].least;
    }
    firm = std::max(firm, begin.firm + nodes_[at].firm);
    most = std::max(most, begin.most + nodes_[at].most);
    siblings.push_back(at);
    begins.push_back(begin);
    if (most > kMostRecord) return AtLine(inner->line, "a record of over 1 GiB");
  }
  nodes_[group].least = least;
  nodes_[group].firm = firm;
  nodes_[group].most = most;
  return absl::OkStatus();
}

// The place among its siblings of what it lies over; their number where it lies behind them.
size_t Shape::RedefinedBy(const Item& inner, const Item& group,
                          const std::vector<int>& siblings) const {
  for (size_t i = siblings.size(); i-- > 0;)
    if (!inner.redefines.empty() &&
        absl::AsciiStrToUpper(nodes_[siblings[i]].item->name) == inner.redefines)
      return i;
  const bool overlays = group.parent == nullptr && inner.level == 1 && inner.redefines.empty();
  return overlays && !siblings.empty() ? 0 : siblings.size();
}

bool Shape::IsText(const Item& group) const {
  if (group.filler || group.parent == nullptr) return false;
  const std::vector<std::string> path = PathOf(group);
  return std::any_of(options_.group_texts.begin(), options_.group_texts.end(),
                     [&](const std::string& name) { return Matches(path, NamesIn(name)); });
}

absl::Status Shape::Add(const Item& item, std::vector<int>& around) {
  const auto at = static_cast<int>(nodes_.size());
  nodes_.emplace_back();
  nodes_[at].item = &item;
  if (item.occurs) {
    SLUICE_ASSIGN_OR_RETURN(const int table, AddTable(item, around));
    nodes_[at].table = table;
    around.push_back(table);
  }
  if (item.group()) {
    SLUICE_RETURN_IF_ERROR(AddGroup(item, around));
    if (IsText(item)) {
      if (nodes_[at].firm != nodes_[at].most)
        return absl::InvalidArgumentError(
            absl::StrCat("setting 'group_texts' names '", item.name, "', whose length differs"));
      AddLeaf(item, around, at, nodes_[at].most);
    }
  } else {
    const int64_t size = SizeOf(item);
    nodes_[at].least = nodes_[at].firm = nodes_[at].most = size;
    AddLeaf(item, around, at, size);
  }
  if (item.occurs) {
    around.pop_back();
    const Table& table = tables_[nodes_[at].table];
    const bool shrinks = table.counter >= 0 && options_.variable;
    Node& node = nodes_[at];
    node.least = shrinks ? 0 : node.firm * (table.most - 1) + node.least;
    node.firm *= shrinks ? 0 : table.most;
    node.most *= table.most;
    if (nodes_[at].most > kMostRecord) return AtLine(item.line, "a record of over 1 GiB");
  }
  nodes_[at].end = static_cast<int>(nodes_.size());
  return absl::OkStatus();
}

absl::StatusOr<std::shared_ptr<const Shape>> Shape::Make(std::shared_ptr<const Item> root,
                                                         const ShapeOptions& options) {
  std::shared_ptr<Shape> shape(new Shape(std::move(root), options));
  std::vector<int> around;
  SLUICE_RETURN_IF_ERROR(shape->Add(*shape->root_, around));
  for (const std::string& name : options.group_texts) {
    const auto node = shape->FindNode(name);
    if (!node.ok() || !shape->nodes_[*node].item->group())
      return absl::InvalidArgumentError(
          absl::StrCat("setting 'group_texts' names ",
                       node.ok() ? "an item that is no group" : node.status().message()));
  }
  if (shape->most() == 0) return absl::InvalidArgumentError("describes a record without bytes");
  return shape;
}

absl::StatusOr<int> Shape::FindNode(std::string_view name) const {
  const std::vector<std::string> names = NamesIn(name);
  std::optional<int> found;
  for (size_t i = 1; i < nodes_.size(); ++i) {
    if (nodes_[i].item->filler || !Matches(PathOf(*nodes_[i].item), names)) continue;
    if (found) return absl::InvalidArgumentError("several items: write GROUP.NAME");
    found = static_cast<int>(i);
  }
  if (!found) return absl::InvalidArgumentError("no item of the copybook");
  return *found;
}

absl::StatusOr<int> Shape::FindLeaf(std::string_view name) const {
  const std::vector<std::string> names = NamesIn(name);
  std::optional<int> found;
  for (size_t i = 0; i < leaves_.size(); ++i) {
    if (leaves_[i].item->filler || !Matches(PathOf(*leaves_[i].item), names)) continue;
    if (found) return absl::InvalidArgumentError("several fields: write GROUP.NAME");
    found = static_cast<int>(i);
  }
  if (!found) return absl::InvalidArgumentError("no field of the copybook");
  return *found;
}

}  // namespace sluice::adapters::copybook
