// Bytes that lie in several places and go out as one, with what keeps them alive. Cheap to copy;
// immutable, so any thread may read them.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace sluice {

class Pieces {
 public:
  Pieces() = default;
  // One piece.
  explicit Pieces(std::string text) {
    auto owned = std::make_shared<const std::string>(std::move(text));
    size_ = owned->size();
    if (size_ > 0) pieces_.push_back(*owned);
    owner_ = std::move(owned);
  }
  // Pieces of what `owner` keeps.
  Pieces(std::vector<std::string_view> pieces, std::shared_ptr<const void> owner)
      : pieces_(std::move(pieces)), owner_(std::move(owner)) {
    for (const std::string_view piece : pieces_) size_ += piece.size();
  }

  size_t size() const { return size_; }  // of all together
  bool empty() const { return size_ == 0; }
  const std::vector<std::string_view>& pieces() const { return pieces_; }
  // Whoever holds it may use the pieces.
  const std::shared_ptr<const void>& owner() const { return owner_; }
  // As one text, copied.
  std::string Joined() const {
    std::string all;
    all.reserve(size_);
    for (const std::string_view piece : pieces_) all.append(piece);
    return all;
  }

 private:
  std::vector<std::string_view> pieces_;
  std::shared_ptr<const void> owner_;
  size_t size_ = 0;
};

}  // namespace sluice
