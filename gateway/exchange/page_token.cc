#include "gateway/exchange/page_token.h"

#include <cstring>

#include "absl/strings/escaping.h"
#include "gateway/base/check.h"
#include "gateway/base/error.h"

namespace sluice::exchange {
namespace {

constexpr char kVersion = 1;
// A fresh key a token, derived from 16 random bytes, so that no nonce is ever used twice under one.
constexpr size_t kSaltSize = 16;
constexpr std::string_view kNonce("\0\0\0\0\0\0\0\0\0\0\0\0", 12);
constexpr size_t kMostBytes = 64 << 10;

template <class T>
void PutRaw(std::string& out, T value) {
  out.append(reinterpret_cast<const char*>(&value), sizeof value);
}

void PutText(std::string& out, std::string_view text) {
  PutRaw<uint32_t>(out, static_cast<uint32_t>(text.size()));
  out.append(text);
}

// Reads what Put wrote; `ok` turns false at the first thing that does not fit.
struct Parser {
  std::string_view rest;
  bool ok = true;

  std::string_view Take(size_t count) {
    if (rest.size() < count) return ok = false, std::string_view();
    const std::string_view taken = rest.substr(0, count);
    rest.remove_prefix(count);
    return taken;
  }
  template <class T>
  T Raw() {
    T value{};
    const std::string_view bytes = Take(sizeof value);
    if (ok) std::memcpy(&value, bytes.data(), sizeof value);
    return value;
  }
  std::string Text() {
    const auto size = Raw<uint32_t>();
    return std::string(Take(ok ? size : 0));
  }
};

void PutScalar(std::string& out, const records::Scalar& value) {
  PutRaw<uint8_t>(out, static_cast<uint8_t>(value.index()));
  std::visit(
      [&out](const auto& v) {
        using T = std::decay_t<decltype(v)>;
        if constexpr (std::is_same_v<T, std::string>) {
          PutText(out, v);
        } else if constexpr (!std::is_same_v<T, std::monostate>) {
          PutRaw(out, v);
        }
      },
      value);
}

records::Scalar TakeScalar(Parser& parser) {
  switch (parser.Raw<uint8_t>()) {
    case 0:
      return std::monostate();
    case 1:
      return parser.Raw<uint8_t>() != 0;
    case 2:
      return parser.Raw<int64_t>();
    case 3:
      return parser.Raw<double>();
    case 4:
      return parser.Raw<int32_t>();
    case 5:
      return parser.Raw<records::Decimal128>();
    case 6:
      return parser.Text();
    default:
      parser.ok = false;
      return std::monostate();
  }
}

std::string Encode(const PagePosition& position) {
  std::string out;
  PutRaw(out, position.expires);
  PutRaw(out, position.first_page);
  PutText(out, position.source_version);
  PutRaw<uint32_t>(out, static_cast<uint32_t>(position.after.size()));
  for (const auto& value : position.after) PutScalar(out, value);
  return out;
}

bool Decode(std::string_view bytes, PagePosition* position) {
  Parser parser{bytes};
  position->expires = parser.Raw<Micros>();
  position->first_page = parser.Raw<int64_t>();
  position->source_version = parser.Text();
  const auto count = parser.Raw<uint32_t>();
  for (uint32_t i = 0; i < count && parser.ok; ++i) position->after.push_back(TakeScalar(parser));
  return parser.ok && parser.rest.empty();
}

// Each part behind its length, so that no two bindings give the same bytes.
std::string Associated(const TokenBinding& binding) {
  std::string out;
  for (const std::string* part :
       {&binding.principal, &binding.grant, &binding.dataset, &binding.request_digest})
    PutText(out, *part);
  PutRaw(out, binding.grant_revision);
  PutRaw(out, binding.dataset_revision);
  return out;
}

absl::Status Invalid() {
  return Error(
      v1::REASON_PAGE_TOKEN_INVALID,
      "the page token does not belong to this request, or the grant or dataset has changed "
      "since it was given.");
}

}  // namespace

PageTokens::PageTokens(std::string key, RandomSource& random)
    : key_(std::move(key)), random_(random) {
  SLUICE_CHECK(key_.size() == 32);
}

std::string PageTokens::Seal(const TokenBinding& binding, const PagePosition& position) const {
  const std::string salt = random_.Bytes(kSaltSize);
  std::string token(1, kVersion);
  token += salt;
  token +=
      AesGcmSeal(AsBytes(HmacSha256(key_, salt)), kNonce, Encode(position), Associated(binding));
  return absl::WebSafeBase64Escape(token);
}

absl::StatusOr<PagePosition> PageTokens::Open(const TokenBinding& binding, std::string_view token,
                                              Micros now) const {
  std::string bytes;
  if (token.size() > kMostBytes ||
      !absl::WebSafeBase64Unescape(absl::string_view(token.data(), token.size()), &bytes) ||
      bytes.size() < 1 + kSaltSize || bytes[0] != kVersion) {
    return Invalid();
  }
  // Bits at the end that no byte holds could be anything; then a token had several spellings.
  if (absl::WebSafeBase64Escape(bytes) != token) return Invalid();
  const std::string_view view = bytes;
  const auto plain = AesGcmOpen(AsBytes(HmacSha256(key_, view.substr(1, kSaltSize))), kNonce,
                                view.substr(1 + kSaltSize), Associated(binding));
  PagePosition position;
  if (!plain.ok() || !Decode(*plain, &position)) return Invalid();
  if (now >= position.expires)
    return Error(v1::REASON_PAGE_TOKEN_EXPIRED, "the page token is past its time.");
  return position;
}

}  // namespace sluice::exchange
