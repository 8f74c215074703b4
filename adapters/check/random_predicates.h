// Predicates by chance, over fields of given types, with values from wherever the caller takes
// them. Seeded: the same seed gives the same ones.
#pragma once

#include <functional>
#include <random>
#include <vector>

#include "gateway/records/predicate.h"
#include "gateway/records/types.h"

namespace sluice::adapters::check {

class RandomPredicates {
 public:
  // A value for a comparison with that field; never null.
  using ValueFor = std::function<records::Scalar(int field)>;

  RandomPredicates(std::vector<records::DataType> types, uint32_t seed)
      : types_(std::move(types)), random_(seed) {}

  // A tree of at most `depth` levels of AND, OR and NOT.
  records::Predicate Make(int depth, const ValueFor& value);
  // 0 to bound - 1, of the same randomness.
  size_t Below(size_t bound) { return random_() % bound; }

 private:
  records::Predicate Leaf(const ValueFor& value);

  const std::vector<records::DataType> types_;
  std::mt19937 random_;
};

}  // namespace sluice::adapters::check
