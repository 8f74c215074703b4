// The one reactor base for server streams: one write at a time, finishes once, gives up once,
// deletes itself when gRPC is done with it. It queues nothing: the next message is asked for when
// the one before was taken. Reactions never block. Messages are bytes (wire.h), so that a hundred
// methods are one class, and payloads go out uncopied.
#pragma once

#include <grpcpp/server_context.h>
#include <grpcpp/support/byte_buffer.h>
#include <grpcpp/support/server_callback.h>

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "gateway/base/mutex.h"
#include "gateway/rpc/status.h"

namespace sluice::rpc {

class ServerStream : public grpc::ServerWriteReactor<grpc::ByteBuffer> {
 public:
  // What the work of the call holds of its stream; it may outlive the stream. Any thread. After a
  // Write: no other, and no Finish, before `taken` was called.
  class Writer {
   public:
    // `taken` is called once: true when flow control let the message pass, false where the peer is
    // gone.
    void Write(grpc::ByteBuffer message, std::function<void(bool)> taken) {
      ServerStream* reactor = nullptr;
      {
        MutexLock lock(mutex_);
        reactor = finished_ ? nullptr : reactor_;
        if (reactor != nullptr) {
          message_ = std::move(message);
          taken_ = std::move(taken);
        }
      }
      // Nobody else finishes it meanwhile, so it lives.
      if (reactor == nullptr) return taken(false);
      reactor->StartWrite(&message_);
    }

    // Goes with the end; before Finish.
    void AddTrailer(const std::string& name, const std::string& value) {
      MutexLock lock(mutex_);
      if (!finished_ && context_ != nullptr) context_->AddTrailingMetadata(name, value);
    }

    // OK with the last message, or an error without one. Once.
    void Finish(absl::Status status, std::optional<grpc::ByteBuffer> last) {
      {
        MutexLock lock(mutex_);
        if (finished_) return;
        finished_ = true;
        cancel_ = nullptr;
        if (last) message_ = *std::move(last);
        with_last_ = last.has_value();
        status_ = std::move(status);
        if (aborting_ > 0) return;
      }
      TellFinish();
    }

    // Cancels the call, so that a write that the peer does not take ends.
    void Abort() {
      grpc::CallbackServerContext* context = nullptr;
      {
        MutexLock lock(mutex_);
        if (finished_) return;
        context = context_;
        ++aborting_;  // keeps the call from being finished, and so the context alive
      }
      context->TryCancel();
      bool finish = false;
      {
        MutexLock lock(mutex_);
        finish = --aborting_ == 0 && finished_;
      }
      if (finish) TellFinish();
    }

   private:
    friend class ServerStream;

    void TellFinish() {
      ServerStream* reactor = nullptr;
      {
        MutexLock lock(mutex_);
        reactor = std::exchange(reactor_, nullptr);
      }
      if (reactor == nullptr) return;
      const grpc::Status status = ToGrpc(status_);
      if (with_last_) {
        reactor->StartWriteAndFinish(&message_, grpc::WriteOptions(), status);
      } else {
        reactor->Finish(status);
      }
    }

    void Taken(bool ok) {
      std::function<void(bool)> taken;
      {
        MutexLock lock(mutex_);
        taken = std::exchange(taken_, nullptr);
      }
      if (taken) taken(ok);
    }

    void Cancelled() {
      std::function<void()> cancel;
      {
        MutexLock lock(mutex_);
        cancelled_ = true;
        cancel = cancel_;
      }
      if (cancel) cancel();
    }

    Mutex mutex_;
    ServerStream* reactor_ SLUICE_GUARDED_BY(mutex_) = nullptr;  // null once told to finish
    grpc::CallbackServerContext* context_ SLUICE_GUARDED_BY(mutex_) = nullptr;  // valid as long
    std::function<void(bool)> taken_ SLUICE_GUARDED_BY(mutex_);
    std::function<void()> cancel_ SLUICE_GUARDED_BY(mutex_);
    bool finished_ SLUICE_GUARDED_BY(mutex_) = false;
    bool cancelled_ SLUICE_GUARDED_BY(mutex_) = false;
    int aborting_ SLUICE_GUARDED_BY(mutex_) = 0;
    // gRPC's while a write is outstanding; otherwise of whoever writes or finishes.
    grpc::ByteBuffer message_;
    absl::Status status_;
    bool with_last_ = false;
  };

  // `start` gets the writer, and answers what gives the work up (may be null). It runs in here, on
  // gRPC's thread; the writer may be used within it.
  ServerStream(grpc::CallbackServerContext* context,
               const std::function<std::function<void()>(std::shared_ptr<Writer>)>& start)
      : writer_(std::make_shared<Writer>()) {
    const std::shared_ptr<Writer> writer = writer_;  // outlives the reactor within this function
    {
      MutexLock lock(writer->mutex_);
      writer->reactor_ = this;
      writer->context_ = context;
    }
    std::function<void()> cancel = start(writer);
    bool cancelled = false;
    {
      MutexLock lock(writer->mutex_);
      if (writer->finished_) return;  // keep nothing of it alive
      cancelled = writer->cancelled_;
      writer->cancel_ = cancel;
    }
    if (cancelled && cancel) cancel();
  }

  void OnWriteDone(bool ok) override { writer_->Taken(ok); }
  void OnCancel() override { writer_->Cancelled(); }
  void OnDone() override { delete this; }

 private:
  const std::shared_ptr<Writer> writer_;
};

}  // namespace sluice::rpc
