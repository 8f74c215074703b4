// Where the leaves of a record lie: sizes, offsets, repetitions. A copybook's items, numbered, with
// what the settings say of sizes.
//
// A leaf that repeats has elements: one for each way to choose an occurrence of every OCCURS that
// it lies in, counted in the order of the record as if each occurred as often as it can.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "adapters/copybook/item.h"
#include "adapters/copybook/numbers.h"
#include "adapters/files/code_page.h"

namespace sluice::adapters::copybook {

struct ShapeOptions {
  std::shared_ptr<const files::CodePage> page;
  bool small_binaries = false;    // of 1 byte for up to two digits, of 3, 5, 6 and 7 none
  bool comp_little = false;       // COMP, COMP-4, BINARY
  bool native_little = false;     // COMP-5
  bool limited_binaries = false;  // with no more digits than their pictures
  FloatForm floats = FloatForm::kIbm;
  bool relaxed = false;
  // OCCURS DEPENDING ON takes as much as there is, so that what follows moves; else always the
  // most.
  bool variable = true;
  std::vector<std::string> group_texts;  // groups that are leaves as well: their bytes as a text
};

// An OCCURS clause.
struct Table {
  const Item* item = nullptr;
  int outer = -1;    // the table that it lies in, or -1
  int counter = -1;  // the leaf that says how many there are, or -1: always the most
  int64_t most = 1;
  int64_t around = 1;  // elements of the tables around it: how often the table itself is there
};

struct Leaf {
  const Item* item = nullptr;
  int64_t size = 0;         // bytes
  std::vector<int> tables;  // that it lies in, outermost first
  int64_t elements = 1;
  NumberForm form;  // of numbers
  bool number() const {
    if (item->group()) return false;
    return item->usage == Usage::kFloat || item->usage == Usage::kDouble ||
           (item->picture && (item->picture->kind == Picture::Kind::kNumber ||
                              item->picture->kind == Picture::Kind::kEdited));
  }
};

// An item, compiled: those of a group stand behind it, each before the group's next.
struct Node {
  const Item* item = nullptr;
  int leaf = -1;  // of a group only where it is a text as well
  int table = -1;
  int redefines = -1;  // the node at whose begin it begins, or -1
  int end = 0;         // the first node that is not in it
  // Bytes, with all its occurrences: what a record that ends with it may have at least, what what
  // follows stands behind at least, and what it has at most.
  int64_t least = 0;
  int64_t firm = 0;
  int64_t most = 0;
};

class Shape {
 public:
  // INVALID_ARGUMENT that names the copybook's line. `root` stays alive as long as the shape.
  static absl::StatusOr<std::shared_ptr<const Shape>> Make(std::shared_ptr<const Item> root,
                                                           const ShapeOptions& options);

  const std::vector<Node>& nodes() const { return nodes_; }  // the root's is the first
  const std::vector<Leaf>& leaves() const { return leaves_; }
  const std::vector<Table>& tables() const { return tables_; }
  int64_t least() const { return nodes_[0].least; }
  int64_t most() const { return nodes_[0].most; }
  // Whether what follows an OCCURS DEPENDING ON moves with it.
  bool moves() const { return moves_; }
  const ByteClasses& classes() const { return classes_; }
  const files::CodePage& page() const { return *options_.page; }
  const std::shared_ptr<const files::CodePage>& shared_page() const { return options_.page; }
  const Item& root() const { return *root_; }

  // The leaf of that name, "NAME" or "GROUP.NAME"; INVALID_ARGUMENT, whose message goes behind
  // "names", where there is none or where it could be several.
  absl::StatusOr<int> FindLeaf(std::string_view name) const;
  // The same of any item: its node.
  absl::StatusOr<int> FindNode(std::string_view name) const;

 private:
  Shape(std::shared_ptr<const Item> root, const ShapeOptions& options)
      : root_(std::move(root)), options_(options), classes_(*options.page) {}
  absl::Status Add(const Item& item, std::vector<int>& around);
  bool IsText(const Item& group) const;
  absl::Status AddGroup(const Item& item, std::vector<int>& around);
  size_t RedefinedBy(const Item& inner, const Item& group, const std::vector<int>& siblings) const;
  void AddLeaf(const Item& item, const std::vector<int>& around, int node, int64_t size);
  absl::StatusOr<int> AddTable(const Item& item, const std::vector<int>& around);
  NumberForm FormOf(const Item& item) const;
  int64_t SizeOf(const Item& item) const;

  const std::shared_ptr<const Item> root_;
  const ShapeOptions options_;
  const ByteClasses classes_;
  std::vector<Node> nodes_;
  std::vector<Leaf> leaves_;
  std::vector<Table> tables_;
  bool moves_ = false;
};

// Names of the groups that the item lies in and of itself, outermost first, in upper case; FILLER
// and the root left out.
std::vector<std::string> PathOf(const Item& item);

}  // namespace sluice::adapters::copybook
