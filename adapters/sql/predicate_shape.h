// How a predicate becomes a condition in SQL, for every adapter that speaks it: a text that is TRUE
// for each row for which the predicate is TRUE in the gateway's own semantics, and perhaps for
// more. What an adapter knows of its system's comparisons stands in its LeafTranslator; what holds
// for all of them stands here.
//
// Negations are pushed to the leaves first (De Morgan holds in three-valued logic); what is left is
// AND and OR, under which "at least where the predicate is TRUE" stays so. Pure functions.
#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "gateway/records/predicate.h"

namespace sluice::adapters::sql {

// A comparison of a field, as opposed to what joins them.
bool IsLeaf(const records::Predicate& predicate);
// The comparison that is TRUE where this one is FALSE.
records::Op Negated(records::Op op);
// " = ", " <> ", " < ", …; " = " for what is no comparison.
const char* Sign(records::Op op);

class LeafTranslator {
 public:
  virtual ~LeafTranslator() = default;
  // What is TRUE at least where the leaf is TRUE (or, negated, FALSE); "" where nothing can be
  // promised: any row. `number` counts the leaves in preorder.
  virtual std::string Leaf(const records::Predicate& leaf, int number, bool negated) = 0;
  // How many parameters its texts have so far, and that those behind the first `count` are not
  // needed: the text that has them is left out.
  virtual size_t parameters() const = 0;
  virtual void KeepParameters(size_t count) = 0;
};

// "" for any row. `never` is a condition that no row fulfils.
std::string Translate(const records::Predicate& predicate, std::string_view never,
                      LeafTranslator& leaves);

// The leaves, in preorder: what a leaf's number counts.
void CollectLeaves(const records::Predicate& predicate,
                   std::vector<const records::Predicate*>& leaves);

// A name for the predicate without its values: operators and how they join; `leaf` appends what a
// translation depends on besides.
void AppendShape(const records::Predicate& predicate, std::string& shape,
                 const std::function<void(const records::Predicate&, std::string&)>& leaf);

// The first text behind all that begin with `prefix`, in the order of code points; "" where there
// is none.
std::string PrefixEnd(std::string prefix);

}  // namespace sluice::adapters::sql
