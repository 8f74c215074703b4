#include "gateway/base/https_reader.h"

#include <curl/curl.h>

#include "absl/strings/str_cat.h"

namespace sluice {
namespace {

struct BoundedBody {
  std::string bytes;
  size_t most = 0;
  bool over = false;
};

size_t TakeBody(const char* data, size_t, size_t count, void* target) {
  BoundedBody& body = *static_cast<BoundedBody*>(target);
  if (body.over = body.bytes.size() + count > body.most; body.over) return 0;  // ends the transfer
  body.bytes.append(data, count);
  return count;
}

}  // namespace

struct HttpsReader::Handle {
  ~Handle() {
    if (curl != nullptr) curl_easy_cleanup(curl);
  }
  CURL* curl = nullptr;
  char error[CURL_ERROR_SIZE] = "";
};

HttpsReader::HttpsReader(const Options& options) : handle_(std::make_unique<Handle>()) {
  static const CURLcode initialised = curl_global_init(CURL_GLOBAL_DEFAULT);
  if (initialised != CURLE_OK) return;
  CURL* const curl = handle_->curl = curl_easy_init();
  if (curl == nullptr) return;
  curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "https");
  curl_easy_setopt(curl, CURLOPT_SSLCERT, options.certificate.c_str());
  curl_easy_setopt(curl, CURLOPT_SSLKEY, options.key.c_str());
  curl_easy_setopt(curl, CURLOPT_CAINFO, options.authorities.c_str());
  curl_easy_setopt(curl, CURLOPT_CAPATH, nullptr);
  curl_easy_setopt(curl, CURLOPT_SSLVERSION, static_cast<long>(CURL_SSLVERSION_TLSv1_2));
  curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, static_cast<long>(options.timeout / kMillisecond));
  curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(curl, CURLOPT_NOPROXY, "*");
  curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, &TakeBody);
  curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, handle_->error);
}

HttpsReader::~HttpsReader() = default;

absl::StatusOr<std::string> HttpsReader::Get(const std::string& url, size_t most_bytes) {
  CURL* const curl = handle_->curl;
  if (curl == nullptr) return absl::UnavailableError("libcurl cannot be used");
  BoundedBody body;
  body.most = most_bytes;
  handle_->error[0] = '\0';
  curl_easy_setopt(curl, CURLOPT_URL, url.c_str());
  curl_easy_setopt(curl, CURLOPT_WRITEDATA, &body);
  const CURLcode result = curl_easy_perform(curl);
  if (body.over)
    return absl::ResourceExhaustedError(absl::StrCat(url, ": more than ", most_bytes, " bytes"));
  if (result != CURLE_OK)
    return absl::UnavailableError(absl::StrCat(
        url, ": ", handle_->error[0] != '\0' ? handle_->error : curl_easy_strerror(result)));
  long code = 0;
  curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &code);
  const std::string what = absl::StrCat(url, ": HTTP status ", code);
  if (code == 404) return absl::NotFoundError(what);
  if (code == 401 || code == 403) return absl::PermissionDeniedError(what);
  if (code != 200) return absl::UnavailableError(what);
  return std::move(body.bytes);
}

}  // namespace sluice
