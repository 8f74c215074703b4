#include "gateway/http/auditor_pages.h"

#include "absl/strings/str_cat.h"
#include "gateway/audit/log_tiles.h"
#include "gateway/base/error.h"
#include "nlohmann/json.hpp"

namespace sluice::http {
namespace {

// Answers are one reader's: no cache between may keep them.
constexpr char kForSeconds[] = "private, max-age=1";
constexpr char kForever[] = "private, max-age=31536000, immutable";

int HttpStatusOf(const absl::Status& status) {
  switch (status.code()) {
    case absl::StatusCode::kInvalidArgument:
      return 400;
    case absl::StatusCode::kUnauthenticated:
      return 401;
    case absl::StatusCode::kPermissionDenied:
      return 403;
    case absl::StatusCode::kNotFound:
      return 404;
    case absl::StatusCode::kResourceExhausted:
      return 429;
    case absl::StatusCode::kUnavailable:
      return 503;
    default:
      return 500;
  }
}

HttpResponse Found(std::string type, std::string cache, std::string body) {
  HttpResponse response;
  response.content_type = std::move(type);
  response.headers.emplace_back("Cache-Control", std::move(cache));
  response.body = std::move(body);
  return response;
}

absl::Status NoSuchPage() {
  return Error(v1::REASON_NOT_FOUND,
               "there are /checkpoint, /tile/<level>/<index>[.p/<width>] and "
               "/tile/entries/<index>[.p/<width>].");
}

}  // namespace

HttpResponse ErrorPage(const absl::Status& status) {
  const v1::Reason reason = ReasonOf(status);
  nlohmann::ordered_json error = {{"reason", ReasonName(reason)},
                                  {"message", std::string(status.message())},
                                  {"next", InfoOf(reason).next()}};
  if (const auto info = ErrorInfoOf(status))
    for (const auto& [key, value] : info->metadata()) error[key] = value;
  HttpResponse response;
  response.status = HttpStatusOf(status);
  response.content_type = "application/json";
  response.body = nlohmann::ordered_json{{"error", error}}.dump(
                      -1, ' ', false, nlohmann::json::error_handler_t::replace) +
                  "\n";
  return response;
}

absl::Status AuditorPages::Identify(const HttpRequest& request, exchange::Call& call) const {
  if (request.leaf_pem.empty())
    return Error(v1::REASON_CERTIFICATE_INVALID, "the connection carries no certificate.");
  call.principal = exchange::UnknownPeer(request.leaf_pem);
  const policy::SnapshotPtr snapshot = parts_.reading.snapshots.Get();
  SLUICE_ASSIGN_OR_RETURN(certs::VerifiedPeer peer,
                          snapshot->verifier->Verify(request.leaf_pem, parts_.reading.clock.Now()));
  SLUICE_ASSIGN_OR_RETURN(identity::Principal principal, snapshot->directory->Resolve(peer));
  call.principal = std::make_shared<const identity::Principal>(std::move(principal));
  call.certificate = std::make_shared<const certs::VerifiedPeer>(std::move(peer));
  if (call.principal->Has(v1::ROLE_AUDITOR)) return absl::OkStatus();
  return Error(v1::REASON_ROLE_REQUIRED, "the log's tiles are for auditors.",
               {{"role", "auditor"}});
}

HttpResponse AuditorPages::Answer(const HttpRequest& request) {
  exchange::Call call;
  call.call_id = exchange::MakeCallId(parts_.random);
  call.peer = request.peer;
  call.method = "HTTP.Tiles";
  if (absl::Status refused = Identify(request, call); !refused.ok()) {
    auto recorded = std::make_shared<std::promise<absl::Status>>();
    exchange::RecordRefusal(
        parts_.denials, call, std::move(refused),
        [recorded](absl::Status told) { recorded->set_value(std::move(told)); });
    return ErrorPage(
        exchange::PublicStatus(recorded->get_future().get(), call.call_id, parts_.operations));
  }
  absl::StatusOr<HttpResponse> answer = NoSuchPage();
  if (request.path == "/checkpoint") {
    const auto cosigned = parts_.reading.Cosigned();
    const auto head = cosigned != nullptr ? absl::StatusOr<std::string>(cosigned->note)
                                          : parts_.reading.log.Head(false);
    if (head.ok() && head->empty())
      answer = Error(v1::REASON_NOT_FOUND, "no head is signed yet; ask again in a second.");
    else if (head.ok())
      answer = Found("text/plain; charset=utf-8", kForSeconds, *head);
    else
      answer = head.status();
  } else if (request.path.starts_with("/tile/")) {
    answer = Tile(call, std::string_view(request.path).substr(1));
  }
  if (answer.ok()) return *std::move(answer);
  absl::Status told = exchange::PublicStatus(answer.status(), call.call_id, parts_.operations);
  AddKey(told, "call", call.call_id);
  return ErrorPage(told);
}

absl::StatusOr<HttpResponse> AuditorPages::Tile(const exchange::Call& call, std::string_view path) {
  const auto id = audit::ParseTilePath(path);
  if (!id.ok()) return NoSuchPage();
  SLUICE_ASSIGN_OR_RETURN(const std::string head, parts_.reading.log.Head(false));
  uint64_t records = 0;
  if (!head.empty()) {
    SLUICE_ASSIGN_OR_RETURN(const audit::Checkpoint checkpoint,
                            audit::VerifyCheckpoint(head, parts_.log_key));
    records = checkpoint.size;
  }
  SLUICE_ASSIGN_OR_RETURN(std::string bytes, audit::ReadTile(parts_.reading.log, records, *id));
  SLUICE_RETURN_IF_ERROR(RecordReader(call, records));
  return Found("application/octet-stream", kForever, std::move(bytes));
}

absl::Status AuditorPages::RecordReader(const exchange::Call& call, uint64_t records) {
  const Micros hour = parts_.reading.clock.Now() / kHour;
  auto mine = std::make_shared<std::promise<absl::Status>>();
  std::shared_future<absl::Status> recorded;
  bool first = false;
  {
    MutexLock lock(mutex_);
    Hour& of_reader = hours_[call.principal->path];
    first = !of_reader.recorded.valid() || of_reader.hour != hour;
    if (first) of_reader = {hour, mine->get_future().share()};
    recorded = of_reader.recorded;
  }
  if (!first) return recorded.get();
  exchange::Reading reading;
  reading.request_json = "{\"tiles\":true}";
  reading.to = static_cast<int64_t>(records);
  exchange::RecordReading(
      parts_.reading, call, reading,
      [mine](const absl::StatusOr<int64_t>& index) { mine->set_value(index.status()); });
  absl::Status written = recorded.get();
  if (written.ok()) return written;
  // The next request tries again.
  MutexLock lock(mutex_);
  hours_.erase(call.principal->path);
  return written;
}

}  // namespace sluice::http
