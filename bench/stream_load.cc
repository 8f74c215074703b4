#include "bench/stream_load.h"

#include <grpcpp/generic/generic_stub.h>

#include <algorithm>
#include <vector>

#include "bare.pb.h"
#include "sluice/v1/exchange.pb.h"

namespace sluice::bench {
namespace {

// What came of one stream so far.
struct Came {
  int64_t batches = 0, bytes = 0, rows = 0;
  bool closed = false;
};

// A kind of stream: what to send, and what each message says.
class StreamWork {
 public:
  virtual ~StreamWork() = default;
  virtual std::string method() const = 0;
  virtual grpc::ByteBuffer request() const = 0;
  // Takes a message into account; false where it is not as expected.
  virtual bool Take(grpc::ByteBuffer* buffer, Came& came) = 0;
  // Whether a stream that ended well may have ended there.
  virtual bool Whole(const Came& came) const = 0;
};

class ReadWork : public StreamWork {
 public:
  explicit ReadWork(const LoadOptions& options) : options_(options) {}
  std::string method() const override { return "/sluice.v1.Exchange/Read"; }
  grpc::ByteBuffer request() const override {
    v1::ReadRequest request;
    request.set_dataset(options_.dataset);
    request.set_purpose(options_.purpose);
    request.set_case_reference(options_.case_reference);
    request.set_end_user(options_.end_user);
    request.set_media_type(options_.media_type);
    return Serialised(request);
  }
  bool Take(grpc::ByteBuffer* buffer, Came& came) override {
    if (!Parse(buffer, &message_) || came.closed) return false;
    if (message_.has_opening()) return true;
    if (message_.has_closing()) {
      came.closed = true;
      return message_.closing().rows() == came.rows &&
             message_.closing().payload_bytes() == came.bytes &&
             !message_.closing().receipt().envelope().empty();
    }
    ++came.batches;
    came.rows += message_.rows();
    came.bytes += static_cast<int64_t>(message_.payload().size());
    return !message_.payload().empty();
  }
  bool Whole(const Came& came) const override { return came.closed; }

 private:
  const LoadOptions options_;
  v1::ReadResponse message_;
};

class BareWork : public StreamWork {
 public:
  explicit BareWork(const LoadOptions& options) : options_(options) {}
  std::string method() const override {
    return options_.work == "scan" ? "/sluice.bench.Bare/Scan" : "/sluice.bench.Bare/Stream";
  }
  grpc::ByteBuffer request() const override {
    if (options_.work == "scan") return Serialised(ScanRequest());
    StreamRequest request;
    request.set_batches(options_.batches);
    request.set_batch_bytes(options_.batch_bytes);
    return Serialised(request);
  }
  bool Take(grpc::ByteBuffer* buffer, Came& came) override {
    if (!Parse(buffer, &message_)) return false;
    ++came.batches;
    came.bytes += static_cast<int64_t>(message_.payload().size());
    return !message_.payload().empty();
  }
  bool Whole(const Came& came) const override {
    return options_.work == "scan" ? came.batches > 0 : came.batches == options_.batches;
  }

 private:
  const LoadOptions options_;
  Batch message_;
};

class StreamLoad {
 public:
  StreamLoad(const LoadOptions& options, StreamWork& work) : options_(options), work_(work) {
    for (int i = 0; i < options.connections; ++i)
      stubs_.push_back(std::make_unique<grpc::GenericStub>(MakeChannel(options)));
  }

  nlohmann::json Run() {
    for (int i = 0; i < options_.in_flight; ++i) Start();
    auto begin = SteadyClock::now();
    if (options_.streams > 0) {
      while (running_ > 0) Next();
    } else {
      const auto from = begin + Seconds(options_.warm_up);
      while (SteadyClock::now() < from) Next();
      batches_ = bytes_ = 0;
      begin = SteadyClock::now();
      const auto end = begin + Seconds(options_.seconds);
      while (SteadyClock::now() < end) Next();
    }
    const nlohmann::json result = Summary(SecondsSince(begin));
    stopping_ = true;
    for (const auto& call : calls_) call->context.TryCancel();
    while (running_ > 0) Next();
    return result;
  }

 private:
  struct Call {
    enum class Step { kStarting, kWriting, kReading, kFinishing };
    Step step = Step::kStarting;
    grpc::ClientContext context;
    std::unique_ptr<grpc::GenericClientAsyncReaderWriter> stream;
    grpc::ByteBuffer message;
    grpc::Status status;
    Came came;
  };

  void Start() {
    if (options_.streams > 0 && started_ >= options_.streams) return;
    auto call = std::make_unique<Call>();
    call->context.set_deadline(std::chrono::system_clock::now() + std::chrono::hours(1));
    call->stream = stubs_[static_cast<size_t>(started_++) % stubs_.size()]->PrepareCall(
        &call->context, work_.method(), &queue_);
    ++running_;
    call->stream->StartCall(call.get());
    calls_.push_back(std::move(call));
  }

  // What is next for the call whose last step was done.
  void Next() {
    void* tag = nullptr;
    bool ok = false;
    if (!queue_.Next(&tag, &ok)) Fail("the queue ended");
    Call& call = *static_cast<Call*>(tag);
    if (call.step == Call::Step::kFinishing) return Ended(call);
    if (call.step == Call::Step::kReading && ok) Took(call);
    if (!ok) {
      call.step = Call::Step::kFinishing;
      call.stream->Finish(&call.status, &call);
    } else if (call.step == Call::Step::kStarting) {
      call.step = Call::Step::kWriting;
      call.stream->WriteLast(work_.request(), grpc::WriteOptions(), &call);
    } else {
      call.step = Call::Step::kReading;
      call.stream->Read(&call.message, &call);
    }
  }

  void Took(Call& call) {
    const Came before = call.came;
    if (!work_.Take(&call.message, call.came))
      Fail(work_.method() + ": not the message that was expected");
    batches_ += call.came.batches - before.batches;
    bytes_ += call.came.bytes - before.bytes;
  }

  void Ended(Call& call) {
    --running_;
    if (!stopping_) {
      if (!call.status.ok())
        Fail(work_.method() + ": code " + std::to_string(call.status.error_code()) + ": " +
             call.status.error_message());
      if (!work_.Whole(call.came)) Fail(work_.method() + ": the stream ended too early");
      ++streams_;
      whole_batches_ += call.came.batches;
      whole_bytes_ += call.came.bytes;
    }
    calls_.erase(std::find_if(calls_.begin(), calls_.end(),
                              [&](const auto& one) { return one.get() == &call; }));
    if (!stopping_) Start();
  }

  nlohmann::json Summary(double seconds) const {
    if (batches_ == 0) Fail(work_.method() + ": no batch came in time");
    const int64_t streams = std::max<int64_t>(1, streams_);
    return {{"work", options_.work},
            {"in_flight", options_.in_flight},
            {"batches", batches_},
            {"payload_bytes", bytes_},
            {"payload_bytes_per_second", static_cast<double>(bytes_) / seconds},
            {"streams", streams_},
            {"stream_batches", whole_batches_ / streams},
            {"stream_bytes", whole_bytes_ / streams}};
  }

  const LoadOptions options_;
  StreamWork& work_;
  grpc::CompletionQueue queue_;
  std::vector<std::unique_ptr<grpc::GenericStub>> stubs_;
  std::vector<std::unique_ptr<Call>> calls_;
  int64_t batches_ = 0, bytes_ = 0;
  int64_t streams_ = 0, whole_batches_ = 0, whole_bytes_ = 0;
  int64_t started_ = 0;
  int running_ = 0;
  bool stopping_ = false;
};

}  // namespace

nlohmann::json RunStreamLoad(const LoadOptions& options) {
  if (options.work == "read") {
    ReadWork work(options);
    return StreamLoad(options, work).Run();
  }
  BareWork work(options);
  return StreamLoad(options, work).Run();
}

}  // namespace sluice::bench
