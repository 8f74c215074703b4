#include "adapters/remote/remote_adapter.h"

#include <utility>

#include "adapters/remote/errors.h"
#include "adapters/remote/messages.h"
#include "adapters/remote/reader.h"
#include "gateway/base/error.h"
#include "gateway/base/mutex.h"

namespace sluice::adapters {
namespace {

using remote::CallOnce;
using remote::Ending;
using remote::Patience;
using remote::SourceParts;

class RemoteAdapter : public Adapter {
 public:
  explicit RemoteAdapter(std::shared_ptr<SourceParts> source) : source_(std::move(source)) {}

  absl::StatusOr<std::vector<TableDescription>> Describe(const std::string& table,
                                                         const CallContext& context) override {
    v1::DescribeRequest request;
    request.set_proposes(context.proposes);
    request.set_source(source_->settings.source);
    request.set_table(table);
    v1::DescribeResponse response;
    SLUICE_RETURN_IF_ERROR(Call(remote::kDescribe, request, response, context));
    std::vector<TableDescription> tables;
    for (const v1::TableDescription& one : response.tables()) {
      auto described = remote::FromProto(one);
      if (!described.ok()) return remote::Broken(std::string(described.status().message()));
      tables.push_back(*std::move(described));
    }
    if (!table.empty() && (tables.size() != 1 || tables[0].table != table))
      return remote::Broken("one table was to be described, and another one is, or several");
    return tables;
  }

  absl::StatusOr<std::unique_ptr<RecordReader>> Scan(ScanRequest request,
                                                     const CallContext& context) override {
    if (request.after && request.after->size() != request.key.size())
      return absl::InvalidArgumentError("a position has a value for each column of the key");
    return std::make_unique<remote::RemoteReader>(source_, std::move(request), context);
  }

  absl::Status Probe(const CallContext& context) override {
    v1::ProbeRequest request;
    request.set_source(source_->settings.source);
    v1::ProbeResponse response;
    SLUICE_RETURN_IF_ERROR(Call(remote::kProbe, request, response, context));
    MutexLock lock(mutex_);
    notes_ = remote::NotesOf(response);
    return absl::OkStatus();
  }

  // As it was probed last.
  std::vector<std::string> Notes() override {
    MutexLock lock(mutex_);
    return notes_;
  }

 private:
  absl::Status Call(const char* method, const google::protobuf::MessageLite& request,
                    google::protobuf::MessageLite& response, const CallContext& context) {
    const Patience patience(context, nullptr, source_->settings.timeout, *source_->clock);
    SLUICE_RETURN_IF_ERROR(patience.Check());
    const Ending ending =
        CallOnce(source_->channel->Get(), method, request, response, context, patience);
    return StatusOf(ending, *source_, patience, nullptr, 0);
  }

  const std::shared_ptr<SourceParts> source_;
  Mutex mutex_;
  std::vector<std::string> notes_ SLUICE_GUARDED_BY(mutex_);
};

}  // namespace

absl::StatusOr<std::unique_ptr<Adapter>> OpenRemote(const Settings& settings) {
  auto source = std::make_shared<SourceParts>();
  SLUICE_ASSIGN_OR_RETURN(source->settings, remote::ParseSettings(settings));
  source->files = MakePosixFileSystem();
  source->clock = MakeSystemClock();
  SLUICE_ASSIGN_OR_RETURN(source->channel,
                          remote::Channel::Open(source->settings, *source->files, *source->clock));
  source->idle = std::make_unique<remote::IdleWatch>(source->settings.idle, *source->clock);
  auto adapter = std::make_unique<RemoteAdapter>(std::move(source));
  SLUICE_RETURN_IF_ERROR(adapter->Probe(CallContext{}));
  return adapter;
}

absl::Status CheckRemoteSettings(const Settings& settings) {
  return remote::ParseSettings(settings).status();
}

}  // namespace sluice::adapters
