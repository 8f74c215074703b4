#include "cli/fake_gateway.h"

#include "absl/strings/str_cat.h"

namespace sluice::cli {

class FakeGateway::Connection : public Gateway {
 public:
  explicit Connection(FakeGateway& gateway) : gateway_(gateway) {}

  absl::Status Invoke(const char* path, const google::protobuf::Message& request,
                      google::protobuf::Message& response) override {
    const auto handler = gateway_.handlers_.find(path);
    if (handler == gateway_.handlers_.end())
      return absl::UnimplementedError(absl::StrCat("the test has no answer to ", path));
    return handler->second(request, response);
  }
  // One message, then the end.
  absl::Status Stream(const char* path, const google::protobuf::Message& request,
                      google::protobuf::Message& response, Micros,
                      const std::function<absl::Status()>& each) override {
    absl::Status status = Invoke(path, request, response);
    return status.ok() ? each() : status;
  }

 private:
  FakeGateway& gateway_;
};

std::unique_ptr<Gateway> FakeGateway::Connect() { return std::make_unique<Connection>(*this); }

}  // namespace sluice::cli
