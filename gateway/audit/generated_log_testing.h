// A log whose records are made when they are read, by a function of their index, so that tests and
// measurements have as many as they like. Appends nothing.
#pragma once

#include <atomic>
#include <functional>

#include "gateway/audit/log.h"
#include "gateway/audit/record.h"

namespace sluice::audit {

class GeneratedLog : public Log {
 public:
  // The same index gives the same draft and time each time. Any thread may call `make`.
  using Make = std::function<Draft(uint64_t index, Micros* time)>;
  GeneratedLog(Make make, DetailKeys& keys, RandomSource& random)
      : make_(std::move(make)), keys_(keys), random_(random) {}

  void Grow(uint64_t size) { size_ = size; }

  void Append(SealedRecord record, AppendCallback callback) override;
  uint64_t size() const override { return size_; }
  bool poisoned() const override { return false; }
  void OnPoison(std::function<void(const absl::Status&)>) override {}
  absl::StatusOr<std::string> Head(bool fresh) override;
  absl::Status Read(uint64_t begin, const std::function<bool(const Entry&)>& each) override;
  absl::StatusOr<Entry> ReadOne(uint64_t index) override;
  absl::StatusOr<TlogProof> Prove(uint64_t index) override;
  absl::StatusOr<std::vector<Hash>> Subtrees(uint64_t first, int level, size_t count) override;
  absl::Status Close() override { return absl::OkStatus(); }

 private:
  const Make make_;
  DetailKeys& keys_;
  RandomSource& random_;
  std::atomic<uint64_t> size_{0};
};

}  // namespace sluice::audit
