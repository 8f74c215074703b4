// The pseudonyms of data subjects in a record, each once.
#pragma once

#include <set>
#include <string>
#include <string_view>
#include <utility>

#include "gateway/audit/subjects.h"

namespace sluice::exchange {

class SubjectList {
 public:
  using Pseudonyms = google::protobuf::RepeatedPtrField<v1::SubjectPseudonym>;
  // Adds to `out`, which outlives the list.
  SubjectList(const audit::Pseudonyms& pseudonyms, Micros now, Pseudonyms& out)
      : pseudonyms_(pseudonyms), now_(now), out_(out) {}

  void Add(const std::string& id_type, std::string_view raw) {
    v1::SubjectPseudonym subject = pseudonyms_.ForSubject(id_type, raw, now_);
    if (!seen_.emplace(id_type, subject.pseudonym()).second) return;
    // With its own tag and length, as it will stand in the detail.
    bytes_ += subject.ByteSizeLong() + 4;
    *out_.Add() = std::move(subject);
  }
  size_t bytes() const { return bytes_; }

 private:
  const audit::Pseudonyms& pseudonyms_;
  const Micros now_;
  Pseudonyms& out_;
  std::set<std::pair<std::string, std::string>> seen_;
  size_t bytes_ = 0;
};

}  // namespace sluice::exchange
