// Whether the moment or the size of a Match's answer tells which one it is: sends items whose
// outcomes are known, in random order, one call at a time, and compares how long each kind took.
// Prints one JSON object. For each two kinds, `auc` is how often an answer of the one took longer
// than one of the other: 0.5 is chance, `chance` the most that chance gives 19 times of 20.
//
// Each line of --items is OUTCOME, a tab, the value that finds, a tab, the value that is compared.
#include <grpcpp/grpcpp.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cmath>
#include <fstream>
#include <iostream>
#include <map>
#include <nlohmann/json.hpp>
#include <random>
#include <set>
#include <sstream>
#include <vector>

#include "bench/load_options.h"
#include "sluice/v1/exchange.grpc.pb.h"

namespace sluice::bench {
namespace {

struct KnownItem {
  std::string outcome, finds, compared;
};

struct Seen {
  std::vector<double> took;  // milliseconds
  std::set<size_t> sizes;    // of replies, less what differs between any two calls
};

std::vector<KnownItem> ReadItems(const std::string& path) {
  std::ifstream file(path);
  std::vector<KnownItem> items;
  for (std::string line; std::getline(file, line);) {
    std::istringstream parts(line);
    KnownItem item;
    if (!std::getline(parts, item.outcome, '\t') || !std::getline(parts, item.finds, '\t') ||
        !std::getline(parts, item.compared, '\t'))
      Fail("a line of --items is no outcome and two values");
    items.push_back(item);
  }
  if (items.empty()) Fail("no items in " + path);
  return items;
}

// The time, its index and the way up a tree that grows are of the call, not of the answer.
size_t SizeOf(v1::MatchResponse reply) {
  v1::AuditEnvelope envelope;
  if (!envelope.ParseFromString(reply.receipt().envelope())) Fail("a receipt cannot be read");
  envelope.clear_time();
  *reply.mutable_receipt()->mutable_envelope() = envelope.SerializeAsString();
  reply.mutable_receipt()->clear_index();
  reply.mutable_receipt()->clear_first_index();
  reply.mutable_receipt()->clear_path();
  reply.mutable_applied()->clear_quota_left();
  return reply.ByteSizeLong();
}

// Of all pairs, in how many the first took longer; equals count half.
double AucOf(const std::vector<double>& a, const std::vector<double>& b) {
  std::vector<std::pair<double, bool>> all;
  for (const double took : a) all.emplace_back(took, true);
  for (const double took : b) all.emplace_back(took, false);
  std::sort(all.begin(), all.end());
  double ranks = 0;
  for (size_t begin = 0; begin < all.size();) {
    size_t end = begin;
    while (end < all.size() && all[end].first == all[begin].first) ++end;
    const double rank = (static_cast<double>(begin) + static_cast<double>(end) + 1) / 2;
    for (; begin < end; ++begin) ranks += all[begin].second ? rank : 0;
  }
  const auto n = static_cast<double>(a.size()), m = static_cast<double>(b.size());
  return (ranks - n * (n + 1) / 2) / (n * m);
}

double MedianOf(std::vector<double> values) {
  std::nth_element(values.begin(), values.begin() + static_cast<ptrdiff_t>(values.size() / 2),
                   values.end());
  return values[values.size() / 2];
}

v1::MatchRequest RequestFor(const LoadOptions& options, const std::string& compared_field,
                            const KnownItem& item) {
  v1::MatchRequest request;
  request.set_dataset(options.dataset);
  request.set_purpose(options.purpose);
  request.set_case_reference(options.case_reference);
  auto& values = *request.add_items()->mutable_values();
  values[options.key_field].set_string_value(item.finds);
  values[compared_field].set_string_value(item.compared);
  return request;
}

void Measure(const LoadOptions& options, const std::string& compared_field, int64_t samples) {
  const std::vector<KnownItem> items = ReadItems(options.keys);
  std::map<std::string, std::vector<const KnownItem*>> by_outcome;
  for (const KnownItem& item : items) by_outcome[item.outcome].push_back(&item);
  std::vector<std::string> order;
  for (const auto& [outcome, of] : by_outcome)
    order.insert(order.end(), static_cast<size_t>(samples), outcome);
  std::mt19937_64 random(20'261'127);
  std::shuffle(order.begin(), order.end(), random);

  const auto stub = v1::Exchange::NewStub(MakeChannel(options));
  std::map<std::string, Seen> seen;
  for (size_t i = 0; i < order.size(); ++i) {
    const auto& choice = by_outcome[order[i]];
    const v1::MatchRequest request =
        RequestFor(options, compared_field, *choice[random() % choice.size()]);
    grpc::ClientContext context;
    v1::MatchResponse reply;
    const auto begin = SteadyClock::now();
    const grpc::Status status = stub->Match(&context, request, &reply);
    const double took = SecondsSince(begin) * 1e3;
    if (!status.ok()) Fail(status.error_message());
    v1::MatchAnswers answers;
    if (!answers.ParseFromString(reply.payload()) || answers.answers_size() != 1 ||
        v1::MatchOutcome_Name(answers.answers(0).outcome()) != "MATCH_OUTCOME_" + order[i])
      Fail("an answer is not the expected one");
    if (i < 100) continue;  // warm-up
    seen[order[i]].took.push_back(took);
    seen[order[i]].sizes.insert(SizeOf(reply));
  }

  nlohmann::ordered_json result = {{"samples_each", samples}};
  for (const auto& [outcome, of] : seen)
    result["median_ms"][outcome] = std::round(MedianOf(of.took) * 1e3) / 1e3;
  for (const auto& [outcome, of] : seen)
    for (const size_t size : of.sizes) result["reply_bytes"][outcome].push_back(size);
  for (auto a = seen.begin(); a != seen.end(); ++a) {
    for (auto b = std::next(a); b != seen.end(); ++b) {
      const auto n = static_cast<double>(a->second.took.size()),
                 m = static_cast<double>(b->second.took.size());
      result["pairs"].push_back({{"one", a->first},
                                 {"other", b->first},
                                 {"auc", AucOf(a->second.took, b->second.took)},
                                 {"chance", 1.96 * std::sqrt((n + m + 1) / (12 * n * m))}});
    }
  }
  std::cout << result.dump(1) << "\n";
}

}  // namespace
}  // namespace sluice::bench

int main(int argc, char** argv) {
  using namespace sluice::bench;
  CLI::App app("Whether the time or size of a Match's answer tells which one it is.");
  LoadOptions options;
  std::string compared_field;
  int64_t samples = 10'000;
  app.add_option("--target", options.target)->required();
  app.add_option("--server-name", options.server_name);
  app.add_option("--certificate", options.certificate)->required();
  app.add_option("--key", options.key)->required();
  app.add_option("--authorities", options.authorities)->required();
  app.add_option("--dataset", options.dataset)->required();
  app.add_option("--purpose", options.purpose)->required();
  app.add_option("--case", options.case_reference);
  app.add_option("--finds", options.key_field, "the field that finds")->required();
  app.add_option("--compares", compared_field, "the field that is compared")->required();
  app.add_option("--items", options.keys)->required();
  app.add_option("--samples", samples, "of each outcome")->check(CLI::Range(1, 1'000'000));
  CLI11_PARSE(app, argc, argv);
  Measure(options, compared_field, samples);
  return 0;
}
