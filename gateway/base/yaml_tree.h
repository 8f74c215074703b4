// What yaml-cpp's parser says of a text, kept as a plain tree with lines. Built from its events and
// not from its nodes, because nodes hide duplicate keys and follow aliases. Used by yaml.cc only.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace sluice {

struct YamlTree {
  enum class Kind { kNull, kScalar, kList, kMap };
  Kind kind = Kind::kNull;
  int line = 1;  // from 1
  std::string scalar;
  bool quoted = false;  // a quoted scalar is text, whatever it looks like
  std::vector<YamlTree> items;
  struct Entry;
  std::vector<Entry> entries;

  const YamlTree* Find(std::string_view key) const;
};

struct YamlTree::Entry {
  std::string key;
  int line = 1;
  YamlTree value;
};

// More are not kept: a hostile file shall not cost more than it weighs.
inline constexpr size_t kMaxYamlMistakes = 100;

struct YamlMistake {
  int line = 0;
  std::string path;  // empty at the root
  std::string text;
};

// All documents of the text up to the first mistake in its syntax; empty ones are left out.
// Refused: text that is not UTF-8, control characters, anchors and aliases (a small file of
// them unfolds without bound), tags, keys that are no scalars, more than 64 levels.
// Duplicate keys are noted, and the first stays.
std::vector<YamlTree> ParseYamlTrees(std::string_view text, std::vector<YamlMistake>& mistakes);

}  // namespace sluice
