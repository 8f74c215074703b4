#include "gateway/audit/verifier_parts.h"

#include <gtest/gtest.h>

namespace sluice::audit {
namespace {

v1::AuditEnvelope Opened() {
  v1::AuditEnvelope envelope;
  envelope.set_kind(v1::RECORD_KIND_OPENED);
  return envelope;
}

v1::AuditEnvelope OfStream(v1::RecordKind kind, int64_t opened, int64_t steps, int64_t rows) {
  v1::AuditEnvelope envelope;
  envelope.set_kind(kind);
  envelope.set_opened(opened);
  envelope.set_steps(steps);
  envelope.set_batches(steps);
  envelope.set_count(rows);
  envelope.set_payload_bytes(rows * 10);
  return envelope;
}

TEST(StreamCounterTest, EveryStreamHasItsEnd) {
  StreamCounter streams;
  EXPECT_EQ(streams.Finding(), "0 opened, 0 closed");
  streams.Take(5, Opened());
  streams.Take(6, Opened());
  streams.Take(7, OfStream(v1::RECORD_KIND_PROGRESS, 5, 1, 100));
  streams.Take(8, OfStream(v1::RECORD_KIND_PROGRESS, 6, 1, 30));
  streams.Take(9, OfStream(v1::RECORD_KIND_CLOSED, 5, 1, 100));
  EXPECT_EQ(streams.Finding(), "2 opened, 1 closed; unfinished: #6");
  EXPECT_FALSE(streams.sound());
  streams.Take(10, OfStream(v1::RECORD_KIND_ABANDONED, 6, 1, 30));
  EXPECT_EQ(streams.Finding(), "2 opened, 1 closed, 1 abandoned");
  EXPECT_TRUE(streams.sound());
}

TEST(StreamCounterTest, OnlyAFewUnfinishedOnesAreNamed) {
  StreamCounter streams;
  for (uint64_t i = 0; i < 5; ++i) streams.Take(i, Opened());
  EXPECT_EQ(streams.Finding(), "5 opened, 0 closed; unfinished: #0, #1, #2, …");
}

TEST(StreamCounterTest, WhatDoesNotFollowIsPointedOut) {
  struct Case {
    const char* what;
    std::vector<v1::AuditEnvelope> records;  // from #1 on, behind an OPENED #0
    uint64_t wrong;
  };
  const auto progress = [](int64_t steps, int64_t rows) {
    return OfStream(v1::RECORD_KIND_PROGRESS, 0, steps, rows);
  };
  const auto closed = [](int64_t steps, int64_t rows) {
    v1::AuditEnvelope envelope = OfStream(v1::RECORD_KIND_CLOSED, 0, steps, rows);
    envelope.set_batches(0);
    return envelope;
  };
  const std::vector<Case> cases = {
      {"a step is missing", {progress(1, 10), progress(3, 20)}, 2},
      {"less may have left than before", {progress(1, 10), progress(2, 5)}, 2},
      {"more left than was recorded", {progress(1, 10), closed(1, 11)}, 2},
      {"a step after the end", {progress(1, 10), closed(1, 10), progress(2, 20)}, 3},
      {"two ends", {progress(1, 10), closed(1, 10), closed(1, 10)}, 3},
      {"an end that forgets a step", {progress(1, 10), closed(0, 0)}, 2},
  };
  for (const Case& one : cases) {
    StreamCounter streams;
    streams.Take(0, Opened());
    for (size_t i = 0; i < one.records.size(); ++i) streams.Take(i + 1, one.records[i]);
    EXPECT_FALSE(streams.sound()) << one.what;
    EXPECT_NE(streams.Finding().find("; #" + std::to_string(one.wrong) + " does not follow"),
              std::string::npos)
        << one.what << ": " << streams.Finding();
  }
}

}  // namespace
}  // namespace sluice::audit
