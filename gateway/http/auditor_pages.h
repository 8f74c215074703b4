// What an auditor's tools fetch: the newest head, and the log's tiles as C2SP tlog-tiles names
// them.
//
//   /checkpoint   /tile/<L>/<N>[.p/<W>]   /tile/entries/<N>[.p/<W>]
//
// The caller is whoever the certificate names, judged anew with each request; the role auditor is
// needed. Refusals are recorded as gRPC's are. That tiles are read is recorded once a reader and
// hour, before the first is answered; the head may be asked for without. Any thread; blocking.
#pragma once

#include <future>
#include <map>
#include <string>
#include <utility>

#include "gateway/audit/signed_note.h"
#include "gateway/exchange/log_tail.h"
#include "gateway/exchange/refusals.h"
#include "gateway/http/http_server.h"

namespace sluice::http {

// All outlive the pages.
struct AuditorPageParts {
  exchange::LogReadingParts reading;
  exchange::Denials& denials;
  RandomSource& random;
  OperationalLog& operations;
  audit::VerifierKey log_key;
};

class AuditorPages {
 public:
  explicit AuditorPages(AuditorPageParts parts) : parts_(std::move(parts)) {}
  // For HttpServer, over TLS.
  HttpResponse Answer(const HttpRequest& request);

 private:
  absl::Status Identify(const HttpRequest& request, exchange::Call& call) const;
  absl::Status RecordReader(const exchange::Call& call, uint64_t records);
  absl::StatusOr<HttpResponse> Tile(const exchange::Call& call, std::string_view path);

  const AuditorPageParts parts_;
  // Whether a reader's hour is recorded, or being recorded.
  struct Hour {
    Micros hour = 0;
    std::shared_future<absl::Status> recorded;
  };
  Mutex mutex_;
  std::map<std::string, Hour> hours_ SLUICE_GUARDED_BY(mutex_);  // by the reader's path
};

// The status, which has passed PublicStatus, as JSON with reason, message, next step and keys.
HttpResponse ErrorPage(const absl::Status& status);

}  // namespace sluice::http
