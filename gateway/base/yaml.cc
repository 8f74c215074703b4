#include "gateway/base/yaml.h"

#include <algorithm>
#include <charconv>
#include <cstdlib>
#include <limits>
#include <numeric>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "gateway/base/yaml_tree.h"

namespace sluice {
namespace {

// Shared by the documents of one file.
struct File {
  std::string name;
  std::vector<YamlMistake> mistakes;
};

std::string Child(const std::string& path, std::string_view key) {
  return path.empty() ? std::string(key) : absl::StrCat(path, ".", std::string(key));
}

size_t EditDistance(std::string_view a, std::string_view b) {
  std::vector<size_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), size_t{0});
  for (size_t i = 1; i <= a.size(); ++i) {
    size_t diagonal = std::exchange(row[0], i);
    for (size_t j = 1; j <= b.size(); ++j) {
      const size_t changed = diagonal + (a[i - 1] == b[j - 1] ? 0 : 1);
      diagonal = row[j];
      row[j] = std::min({changed, row[j] + 1, row[j - 1] + 1});
    }
  }
  return row.back();
}

struct Unit {
  std::string_view suffix;
  int64_t factor;
};
constexpr Unit kDurations[] = {{"us", 1},      {"ms", kMillisecond}, {"s", kSecond},
                               {"m", kMinute}, {"h", kHour},         {"d", kDay}};
constexpr Unit kSizes[] = {{"", 1},
                           {"KiB", int64_t{1} << 10},
                           {"MiB", int64_t{1} << 20},
                           {"GiB", int64_t{1} << 30},
                           {"TiB", int64_t{1} << 40}};

// A whole number, then exactly one of the units.
template <size_t n>
std::optional<int64_t> ParseWithUnit(std::string_view text, const Unit (&units)[n]) {
  int64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || number < 0) return std::nullopt;
  const std::string_view suffix = text.substr(static_cast<size_t>(end - text.data()));
  for (const Unit& unit : units) {
    if (unit.suffix != suffix) continue;
    if (number > std::numeric_limits<int64_t>::max() / unit.factor) return std::nullopt;
    return number * unit.factor;
  }
  return std::nullopt;
}

template <size_t n>
std::string WriteWithUnit(int64_t value, const Unit (&units)[n]) {
  for (size_t i = n; i-- > 0;) {
    if (value != 0 && value % units[i].factor == 0)
      return absl::StrCat(value / units[i].factor, std::string(units[i].suffix));
  }
  return "0";
}

std::string_view KindText(const YamlTree& tree) {
  switch (tree.kind) {
    case YamlTree::Kind::kNull:
      return "empty";
    case YamlTree::Kind::kScalar:
      return "text";
    case YamlTree::Kind::kList:
      return "a list";
    case YamlTree::Kind::kMap:
      return "a map";
  }
  return "";
}

}  // namespace

struct YamlNode::Impl {
  std::shared_ptr<File> file;
  std::shared_ptr<const YamlTree> root;
  const YamlTree* tree = nullptr;  // in root; null where absent
  int line = 1;                    // where absent: of the nearest parent

  static YamlNode Make(std::shared_ptr<File> file, std::shared_ptr<const YamlTree> root,
                       const YamlTree* tree, int line, std::string path) {
    YamlNode node;
    node.impl_ = std::make_shared<Impl>(Impl{std::move(file), std::move(root), tree, line});
    node.path_ = std::move(path);
    return node;
  }
  YamlNode At(const YamlTree* child, std::string path) const {
    return Make(file, root, child, child != nullptr ? child->line : line, std::move(path));
  }
  // The scalar's text, or null after noting that it must be `wanted`; silent where absent.
  static const std::string* Scalar(const YamlNode& node, std::string_view wanted, bool plain) {
    if (!node.present()) return nullptr;
    const YamlTree& tree = *node.impl_->tree;
    if (tree.kind != YamlTree::Kind::kScalar) {
      node.Fail(
          absl::StrCat("must be ", std::string(wanted), ", is ", std::string(KindText(tree))));
      return nullptr;
    }
    if (plain && tree.quoted) {
      node.Fail(absl::StrCat("must be ", std::string(wanted), ", is text in quotes"));
      return nullptr;
    }
    return &tree.scalar;
  }
  // One root a document; an absent one where there is none, so that the errors have a place.
  static std::vector<YamlNode> Roots(std::string_view text, std::string_view name) {
    auto file = std::make_shared<File>();
    file->name = std::string(name);
    std::vector<YamlTree> trees = ParseYamlTrees(text, file->mistakes);
    if (trees.empty()) {
      if (file->mistakes.empty()) file->mistakes.push_back({1, "", "is empty"});
      return {Make(file, nullptr, nullptr, 1, "")};
    }
    std::vector<YamlNode> roots;
    for (YamlTree& tree : trees) {
      auto root = std::make_shared<const YamlTree>(std::move(tree));
      roots.push_back(Make(file, root, root.get(), root->line, ""));
    }
    return roots;
  }
};

bool YamlNode::present() const { return impl_ != nullptr && impl_->tree != nullptr; }
bool YamlNode::is_map() const { return present() && impl_->tree->kind == YamlTree::Kind::kMap; }
bool YamlNode::is_list() const { return present() && impl_->tree->kind == YamlTree::Kind::kList; }
int YamlNode::line() const { return present() ? impl_->tree->line : 0; }

void YamlNode::Fail(std::string_view mistake) const {
  if (impl_ == nullptr) return;
  auto& mistakes = impl_->file->mistakes;
  if (mistakes.size() >= kMaxYamlMistakes) return;
  const bool known = std::any_of(mistakes.begin(), mistakes.end(), [&](const YamlMistake& other) {
    return other.line == impl_->line && other.path == path_ && other.text == mistake;
  });
  if (!known) mistakes.push_back({impl_->line, path_, std::string(mistake)});
}

std::string YamlNode::AsString(std::string_view otherwise) const {
  const std::string* text = Impl::Scalar(*this, "text", false);
  return text != nullptr ? *text : std::string(otherwise);
}

int64_t YamlNode::AsInt(int64_t otherwise, int64_t least, int64_t most) const {
  const std::string wanted = absl::StrCat("a whole number from ", least, " to ", most);
  const std::string* text = Impl::Scalar(*this, wanted, true);
  if (text == nullptr) return otherwise;
  int64_t value = 0;
  const auto [end, error] = std::from_chars(text->data(), text->data() + text->size(), value);
  if (error == std::errc() && end == text->data() + text->size() && value >= least && value <= most)
    return value;
  Fail(absl::StrCat("must be ", wanted, ", is ", *text));
  return otherwise;
}

bool YamlNode::AsBool(bool otherwise) const {
  const std::string* text = Impl::Scalar(*this, "true or false", true);
  if (text == nullptr) return otherwise;
  if (*text == "true") return true;
  if (*text == "false") return false;
  Fail(absl::StrCat("must be true or false, is ", *text));
  return otherwise;
}

Micros YamlNode::AsDuration(Micros otherwise, Micros least, Micros most) const {
  const std::string* text =
      Impl::Scalar(*this, "a duration such as 500ms, 10s, 5m, 2h or 90d", true);
  if (text == nullptr) return otherwise;
  const auto value = ParseWithUnit(*text == "0" ? "0s" : *text, kDurations);
  if (value && *value >= least && *value <= most) return *value;
  Fail(absl::StrCat("must be a duration from ", WriteWithUnit(least, kDurations), " to ",
                    WriteWithUnit(most, kDurations), " (such as 500ms, 10s, 5m, 2h, 90d), is ",
                    *text));
  return otherwise;
}

int64_t YamlNode::AsBytes(int64_t otherwise, int64_t least, int64_t most) const {
  const std::string* text = Impl::Scalar(*this, "a size such as 64KiB, 8MiB or 1GiB", true);
  if (text == nullptr) return otherwise;
  const auto value = ParseWithUnit(*text, kSizes);
  if (value && *value >= least && *value <= most) return *value;
  Fail(absl::StrCat("must be a size from ", WriteWithUnit(least, kSizes), " to ",
                    WriteWithUnit(most, kSizes), " (such as 64KiB, 8MiB, 1GiB), is ", *text));
  return otherwise;
}

YamlMap YamlNode::AsMap() const {
  if (present() && !is_map())
    Fail(absl::StrCat("must be a map (key: value), is ", std::string(KindText(*impl_->tree))));
  YamlMap map;
  map.node_ = *this;
  return map;
}

std::vector<YamlNode> YamlNode::AsList() const {
  std::vector<YamlNode> nodes;
  if (!present()) return nodes;
  if (!is_list()) {
    Fail(absl::StrCat("must be a list, is ", std::string(KindText(*impl_->tree))));
    return nodes;
  }
  const auto& items = impl_->tree->items;
  nodes.reserve(items.size());
  for (size_t i = 0; i < items.size(); ++i)
    nodes.push_back(impl_->At(&items[i], absl::StrCat(path_, "[", i, "]")));
  return nodes;
}

std::vector<std::string> YamlNode::AsStrings() const {
  std::vector<std::string> strings;
  for (const YamlNode& node : AsList()) {
    if (const std::string* text = Impl::Scalar(node, "text", false)) strings.push_back(*text);
  }
  return strings;
}

YamlNode YamlMap::Required(std::string_view key) {
  YamlNode node = Optional(key);
  // Below a section that is absent nothing is required; that it is absent was noted if it matters.
  if (!node.present() && node_.is_map()) node.Fail("missing");
  return node;
}

YamlNode YamlMap::Optional(std::string_view key) {
  known_.emplace_back(key);
  if (node_.impl_ == nullptr) return YamlNode();
  const YamlTree* child = node_.is_map() ? node_.impl_->tree->Find(key) : nullptr;
  return node_.impl_->At(child, Child(node_.path_, key));
}

void YamlMap::RefuseOthers() {
  if (!node_.is_map()) return;
  for (const YamlTree::Entry& entry : node_.impl_->tree->entries) {
    if (node_.impl_->file->mistakes.size() >= kMaxYamlMistakes) return;
    if (std::find(known_.begin(), known_.end(), entry.key) != known_.end()) continue;
    std::string mistake = "unknown key";
    if (!known_.empty()) {
      const auto nearest =
          std::min_element(known_.begin(), known_.end(), [&](const auto& a, const auto& b) {
            return EditDistance(entry.key, a) < EditDistance(entry.key, b);
          });
      if (EditDistance(entry.key, *nearest) <= std::max<size_t>(2, entry.key.size() / 3))
        absl::StrAppend(&mistake, "; did you mean ", *nearest, "?");
      else
        absl::StrAppend(&mistake, "; known here: ", absl::StrJoin(known_, ", "));
    }
    auto key = node_.impl_->At(&entry.value, Child(node_.path_, entry.key));
    key.impl_->line = entry.line;
    key.Fail(mistake);
  }
}

std::vector<std::string> YamlMap::keys() const {
  std::vector<std::string> keys;
  if (!node_.is_map()) return keys;
  for (const YamlTree::Entry& entry : node_.impl_->tree->entries) keys.push_back(entry.key);
  return keys;
}

YamlDocument YamlDocument::Parse(std::string_view text, std::string_view file) {
  std::vector<YamlDocument> documents = ParseAll(text, file);
  if (documents.size() > 1)
    documents[1].root_.Fail("a second document (---); exactly one is read here");
  return documents.front();
}

std::vector<YamlDocument> YamlDocument::ParseAll(std::string_view text, std::string_view file) {
  std::vector<YamlDocument> documents;
  for (YamlNode& root : YamlNode::Impl::Roots(text, file)) {
    documents.emplace_back();
    documents.back().root_ = std::move(root);
  }
  return documents;
}

std::vector<std::string> YamlDocument::errors() const {
  std::vector<std::string> lines;
  if (root_.impl_ == nullptr) return lines;
  const File& file = *root_.impl_->file;
  std::vector<YamlMistake> mistakes = file.mistakes;
  std::stable_sort(mistakes.begin(), mistakes.end(),
                   [](const auto& a, const auto& b) { return a.line < b.line; });
  for (const YamlMistake& mistake : mistakes) {
    lines.push_back(absl::StrCat(file.name, ":", mistake.line, ": ", mistake.path,
                                 mistake.path.empty() ? "" : ": ", mistake.text));
  }
  if (mistakes.size() >= kMaxYamlMistakes)
    lines.push_back(absl::StrCat(file.name, ": there may be more; these are the first ",
                                 kMaxYamlMistakes, " found"));
  return lines;
}

absl::Status YamlDocument::status() const {
  const std::vector<std::string> lines = errors();
  if (lines.empty()) return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrJoin(lines, "\n"));
}

namespace {

// Walks one step of `rest`, "[2]…" or "key…"; null where it leads nowhere. Keys may hold dots, so
// the longest that fits is taken. `line` becomes that of the key.
const YamlTree* Step(const YamlTree& tree, std::string_view& rest, int& line) {
  if (rest.front() == '[' && tree.kind == YamlTree::Kind::kList) {
    size_t index = 0;
    const auto [end, error] = std::from_chars(rest.data() + 1, rest.data() + rest.size(), index);
    if (error != std::errc() || end == rest.data() + rest.size() || *end != ']' ||
        index >= tree.items.size())
      return nullptr;
    rest.remove_prefix(static_cast<size_t>(end - rest.data()) + 1);
    line = tree.items[index].line;
    return &tree.items[index];
  }
  const YamlTree::Entry* best = nullptr;
  for (const YamlTree::Entry& entry : tree.entries) {
    const std::string& key = entry.key;
    if (!rest.starts_with(key)) continue;
    if (rest.size() > key.size() && rest[key.size()] != '.' && rest[key.size()] != '[') continue;
    if (best == nullptr || best->key.size() < key.size()) best = &entry;
  }
  if (best == nullptr) return nullptr;
  rest.remove_prefix(best->key.size());
  line = best->line;
  return &best->value;
}

}  // namespace

int YamlDocument::LineOf(std::string_view path) const {
  if (!root_.present()) return 0;
  const YamlTree* tree = root_.impl_->tree;
  int line = tree->line;
  while (!path.empty()) {
    if (path.front() == '.') path.remove_prefix(1);
    if (path.empty()) break;
    tree = Step(*tree, path, line);
    if (tree == nullptr) break;
  }
  return line;
}

}  // namespace sluice
