#include "gateway/base/yaml_tree.h"

#include <utf8proc.h>
#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/mark.h>
#include <yaml-cpp/parser.h>

#include <algorithm>
#include <optional>
#include <sstream>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/str_cat.h"

namespace sluice {
namespace {

constexpr size_t kMaxDepth = 64;
constexpr char kBadKey[] = "a key must be one word of text";

// Ends the parse: what follows cannot be trusted to mean anything.
struct Refused {
  int line;
  std::string text;
};

class TreeBuilder : public YAML::EventHandler {
 public:
  explicit TreeBuilder(std::vector<YamlMistake>& mistakes) : mistakes_(mistakes) {}

  void OnDocumentStart(const YAML::Mark& mark) override {
    // At a bracket that closes nothing yaml-cpp sees empty documents without end.
    if (mark.pos == last_start_) throw Refused{mark.line + 1, "no YAML: this closes nothing"};
    last_start_ = mark.pos;
    stack_.clear();
    root_ = YamlTree{.line = mark.line + 1};
  }
  void OnDocumentEnd() override {}

  void OnNull(const YAML::Mark& mark, YAML::anchor_t) override {
    // yaml-cpp places an empty value at the token that follows it: its key's line is the right one.
    const bool has_key = !stack_.empty() && stack_.back().key;
    Place(YamlTree{.line = has_key ? stack_.back().key->line : mark.line + 1});
  }
  void OnAlias(const YAML::Mark& mark, YAML::anchor_t) override { RefuseAnchor(mark); }
  void OnAnchor(const YAML::Mark& mark, const std::string&) override { RefuseAnchor(mark); }
  void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t,
                const std::string& value) override {
    CheckTag(mark, tag);
    Place(YamlTree{.kind = YamlTree::Kind::kScalar,
                   .line = mark.line + 1,
                   .scalar = value,
                   .quoted = tag == "!"});
  }
  void OnSequenceStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t,
                       YAML::EmitterStyle::value) override {
    Start(mark, tag, YamlTree::Kind::kList);
  }
  void OnSequenceEnd() override { End(); }
  void OnMapStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t,
                  YAML::EmitterStyle::value) override {
    Start(mark, tag, YamlTree::Kind::kMap);
  }
  void OnMapEnd() override { End(); }

  YamlTree TakeRoot() { return std::move(root_); }

 private:
  // A list or map that is still open.
  struct Open {
    YamlTree tree;
    std::optional<YamlTree> key;                       // of a map: read, and its value not yet
    absl::flat_hash_map<std::string, int> lines = {};  // of a map: of its keys
  };

  [[noreturn]] static void RefuseAnchor(const YAML::Mark& mark) {
    throw Refused{mark.line + 1, "anchors and aliases (& and *) are not read: write it out"};
  }
  static void CheckTag(const YAML::Mark& mark, const std::string& tag) {
    if (!tag.empty() && tag != "?" && tag != "!")
      throw Refused{mark.line + 1, absl::StrCat("tags (", tag, ") are not read: leave it out")};
  }

  void Start(const YAML::Mark& mark, const std::string& tag, YamlTree::Kind kind) {
    CheckTag(mark, tag);
    // At once: what stands in it would have no path.
    if (!stack_.empty() && stack_.back().tree.kind == YamlTree::Kind::kMap && !stack_.back().key)
      throw Refused{mark.line + 1, kBadKey};
    if (stack_.size() == kMaxDepth)
      throw Refused{mark.line + 1, absl::StrCat("more than ", kMaxDepth, " levels")};
    stack_.push_back({YamlTree{.kind = kind, .line = mark.line + 1}, std::nullopt, {}});
  }
  void End() {
    YamlTree done = std::move(stack_.back().tree);
    stack_.pop_back();
    Place(std::move(done));
  }
  void Place(YamlTree tree) {
    if (stack_.empty()) {
      root_ = std::move(tree);
      return;
    }
    Open& open = stack_.back();
    if (open.tree.kind == YamlTree::Kind::kList) {
      open.tree.items.push_back(std::move(tree));
    } else if (!open.key) {
      if (tree.kind != YamlTree::Kind::kScalar) throw Refused{tree.line, kBadKey};
      open.key = std::move(tree);
    } else {
      PlaceEntry(open, std::move(tree));
      open.key.reset();
    }
  }
  void PlaceEntry(Open& open, YamlTree value) {
    const auto [first, is_new] = open.lines.try_emplace(open.key->scalar, open.key->line);
    if (!is_new) {
      if (mistakes_.size() == kMaxYamlMistakes) return;
      mistakes_.push_back({open.key->line, PathOfOpen(open.key->scalar),
                           absl::StrCat("stands here twice, first at line ", first->second)});
      return;
    }
    open.tree.entries.push_back({open.key->scalar, open.key->line, std::move(value)});
  }
  std::string PathOfOpen(std::string_view last) const {
    std::string path;
    for (size_t i = 0; i < stack_.size(); ++i) {
      const Open& open = stack_[i];
      const bool innermost = i + 1 == stack_.size();
      if (open.tree.kind == YamlTree::Kind::kList) {
        absl::StrAppend(&path, "[", open.tree.items.size(), "]");
      } else {
        if (!path.empty()) path += '.';
        path += innermost ? last : std::string_view(open.key->scalar);
      }
    }
    return path;
  }

  std::vector<YamlMistake>& mistakes_;
  std::vector<Open> stack_;
  YamlTree root_;
  int last_start_ = -1;  // where the document before this one began
};

// The line of the first byte that is no text, or 0.
int LineOfBadText(std::string_view text) {
  int line = 1;
  for (size_t i = 0; i < text.size();) {
    utf8proc_int32_t point = 0;
    const utf8proc_ssize_t size =
        utf8proc_iterate(reinterpret_cast<const utf8proc_uint8_t*>(text.data()) + i,
                         static_cast<utf8proc_ssize_t>(text.size() - i), &point);
    if (size <= 0) return line;
    if ((point < 0x20 && point != '\n' && point != '\r' && point != '\t') || point == 0x7f)
      return line;
    if (point == '\n') ++line;
    i += static_cast<size_t>(size);
  }
  return 0;
}

}  // namespace

const YamlTree* YamlTree::Find(std::string_view key) const {
  const auto found = std::find_if(entries.begin(), entries.end(),
                                  [&](const Entry& entry) { return entry.key == key; });
  return found == entries.end() ? nullptr : &found->value;
}

std::vector<YamlTree> ParseYamlTrees(std::string_view text, std::vector<YamlMistake>& mistakes) {
  std::vector<YamlTree> trees;
  if (const int line = LineOfBadText(text); line != 0) {
    mistakes.push_back({line, "", "not UTF-8 text, or a control character"});
    return trees;
  }
  try {
    std::istringstream stream{std::string(text)};
    YAML::Parser parser(stream);
    TreeBuilder builder(mistakes);
    while (parser.HandleNextDocument(builder)) {
      YamlTree tree = builder.TakeRoot();
      if (tree.kind != YamlTree::Kind::kNull) trees.push_back(std::move(tree));
    }
  } catch (const Refused& refused) {
    mistakes.push_back({refused.line, "", refused.text});
  } catch (const YAML::Exception& error) {
    mistakes.push_back({error.mark.line + 1, "", absl::StrCat("no YAML: ", error.msg)});
  }
  return trees;
}

}  // namespace sluice
