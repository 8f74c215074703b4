#include "bench/unary_load.h"

#include <grpcpp/generic/generic_stub.h>

#include <algorithm>
#include <fstream>
#include <functional>
#include <vector>

#include "bare.pb.h"
#include "sluice/v1/exchange.pb.h"

namespace sluice::bench {
namespace {

std::vector<std::string> ReadKeys(const std::string& path) {
  std::ifstream file(path);
  std::vector<std::string> keys;
  for (std::string line; std::getline(file, line);) keys.push_back(line);
  if (keys.empty()) Fail("no keys in " + path);
  return keys;
}

// What to send, what to expect. Requests are serialised beforehand: the client shares the cores
// with the server that is measured.
struct Work {
  std::string method;
  std::vector<grpc::ByteBuffer> requests;
  size_t request_bytes = 0;  // of the first
  std::function<bool(grpc::ByteBuffer*)> expected;
};

Work QueryWork(const LoadOptions& options) {
  Work work{.method = "/sluice.v1.Exchange/Query"};
  v1::QueryRequest request;
  request.set_dataset(options.dataset);
  request.set_purpose(options.purpose);
  request.set_case_reference(options.case_reference);
  request.set_end_user(options.end_user);
  request.set_filter(options.key_field + " = $key");
  for (const std::string& key : ReadKeys(options.keys)) {
    auto& values = (*request.mutable_parameters())["key"];
    values.clear_values();
    values.add_values()->set_string_value(key);
    work.requests.push_back(Serialised(request));
  }
  work.expected = [](grpc::ByteBuffer* buffer) {
    v1::QueryResponse reply;
    return Parse(buffer, &reply) && reply.rows() == 1 && !reply.receipt().envelope().empty();
  };
  return work;
}

Work LookupWork(const LoadOptions& options) {
  Work work{.method = "/sluice.bench.Bare/Lookup"};
  for (const std::string& key : ReadKeys(options.keys)) {
    LookupRequest request;
    request.set_key(key);
    work.requests.push_back(Serialised(request));
  }
  work.expected = [](grpc::ByteBuffer* buffer) {
    v1::RowBatch reply;
    return Parse(buffer, &reply) && reply.rows_size() == 1;
  };
  return work;
}

Work EchoWork(const LoadOptions& options) {
  Work work{.method = "/sluice.bench.Bare/Echo"};
  EchoRequest request;
  // What the fields' own tags and lengths take is a few bytes of it.
  request.set_padding(
      std::string(static_cast<size_t>(std::max(0, options.request_bytes - 6)), 'x'));
  request.set_reply_bytes(std::max(0, options.reply_bytes - 3));
  work.requests.push_back(Serialised(request));
  const size_t size = static_cast<size_t>(request.reply_bytes());
  work.expected = [size](grpc::ByteBuffer* buffer) {
    EchoReply reply;
    return Parse(buffer, &reply) && reply.payload().size() == size;
  };
  return work;
}

Work MakeWork(const LoadOptions& options) {
  Work work = options.work == "query"    ? QueryWork(options)
              : options.work == "lookup" ? LookupWork(options)
                                         : EchoWork(options);
  work.request_bytes = work.requests.front().Length();
  return work;
}

class UnaryLoad {
 public:
  UnaryLoad(const LoadOptions& options, Work work) : options_(options), work_(std::move(work)) {
    for (int i = 0; i < options.connections; ++i)
      stubs_.push_back(std::make_unique<grpc::GenericStub>(MakeChannel(options)));
  }

  nlohmann::json Run() {
    for (int i = 0; i < options_.in_flight; ++i) Start(new Call);
    const auto begin = SteadyClock::now() + Seconds(options_.warm_up);
    const auto end = begin + Seconds(options_.seconds);
    Until(begin);
    microseconds_.clear();
    reply_bytes_ = 0;
    const auto measured_from = SteadyClock::now();
    Until(end);
    const nlohmann::json result = Summary(SecondsSince(measured_from));
    stopping_ = true;
    while (running_ > 0) Next();
    return result;
  }

 private:
  struct Call {
    std::unique_ptr<grpc::ClientContext> context;
    std::unique_ptr<grpc::GenericClientAsyncResponseReader> reader;
    grpc::ByteBuffer reply;
    grpc::Status status;
    SteadyClock::time_point started;
  };

  void Until(SteadyClock::time_point end) {
    while (SteadyClock::now() < end) Next();
  }

  void Start(Call* call) {
    ++running_;
    call->context = std::make_unique<grpc::ClientContext>();
    call->context->set_deadline(std::chrono::system_clock::now() + std::chrono::seconds(30));
    call->reply.Clear();
    // Keys in an order that no cache foresees, the same in every run.
    random_ = random_ * 6364136223846793005U + 1442695040888963407U;
    const size_t request = (random_ >> 33) % work_.requests.size();
    call->started = SteadyClock::now();
    call->reader = stubs_[started_++ % stubs_.size()]->PrepareUnaryCall(
        call->context.get(), work_.method, work_.requests[request], &queue_);
    call->reader->StartCall();
    call->reader->Finish(&call->reply, &call->status, call);
  }

  // Takes one answer, and sends the next request in its place.
  void Next() {
    void* tag = nullptr;
    bool ok = false;
    if (!queue_.Next(&tag, &ok)) Fail("the queue ended");
    Call* call = static_cast<Call*>(tag);
    --running_;
    if (!call->status.ok())
      Fail(work_.method + ": code " + std::to_string(call->status.error_code()) + ": " +
           call->status.error_message());
    reply_bytes_ += call->reply.Length();
    microseconds_.push_back(
        std::chrono::duration<float, std::micro>(SteadyClock::now() - call->started).count());
    if (!work_.expected(&call->reply)) Fail(work_.method + ": not the answer that was expected");
    if (stopping_) {
      delete call;
    } else {
      Start(call);
    }
  }

  nlohmann::json Summary(double seconds) {
    if (microseconds_.empty()) Fail("no call was answered in time");
    std::sort(microseconds_.begin(), microseconds_.end());
    const size_t calls = microseconds_.size();
    return {{"work", options_.work},
            {"in_flight", options_.in_flight},
            {"calls", calls},
            {"calls_per_second", static_cast<double>(calls) / seconds},
            {"p50_us", microseconds_[calls / 2]},
            {"p99_us", microseconds_[calls * 99 / 100]},
            {"request_bytes", work_.request_bytes},
            {"reply_bytes", reply_bytes_ / calls}};
  }

  const LoadOptions options_;
  const Work work_;
  grpc::CompletionQueue queue_;
  std::vector<std::unique_ptr<grpc::GenericStub>> stubs_;
  std::vector<float> microseconds_;
  size_t reply_bytes_ = 0;
  size_t started_ = 0;
  int running_ = 0;
  bool stopping_ = false;
  uint64_t random_ = 1;
};

}  // namespace

nlohmann::json RunUnaryLoad(const LoadOptions& options) {
  return UnaryLoad(options, MakeWork(options)).Run();
}

}  // namespace sluice::bench
