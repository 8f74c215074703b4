#include "gateway/exchange/tokens.h"

#include "gateway/base/error.h"

namespace sluice::exchange {
namespace {

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

records::Scalar TakeScalar(TokenParser& parser) {
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

void PutKey(std::string& out, const adapters::KeyPosition& key) {
  PutRaw<uint32_t>(out, static_cast<uint32_t>(key.size()));
  for (const auto& value : key) PutScalar(out, value);
}

adapters::KeyPosition TakeKey(TokenParser& parser) {
  adapters::KeyPosition key;
  const auto count = parser.Raw<uint32_t>();
  for (uint32_t i = 0; i < count && parser.ok; ++i) key.push_back(TakeScalar(parser));
  return key;
}

std::string Encode(const PagePosition& position) {
  std::string out;
  PutRaw(out, position.expires);
  PutRaw(out, position.first_page);
  PutText(out, position.source_version);
  PutKey(out, position.after);
  return out;
}

bool Decode(std::string_view bytes, PagePosition* position) {
  TokenParser parser{bytes};
  position->expires = parser.Raw<Micros>();
  position->first_page = parser.Raw<int64_t>();
  position->source_version = parser.Text();
  position->after = TakeKey(parser);
  return parser.ok && parser.rest.empty();
}

std::string Encode(const StreamPosition& position) {
  std::string out;
  PutRaw(out, position.expires);
  PutText(out, position.source_version);
  PutText(out, position.start.SerializeAsString());
  PutRaw<uint32_t>(out, static_cast<uint32_t>(position.tree.hashes().size()));
  for (const Hash& hash : position.tree.hashes()) out.append(AsBytes(hash));
  PutRaw<uint8_t>(out, position.at_end);
  PutRaw<uint8_t>(out, position.after.has_value());
  if (position.after) PutKey(out, *position.after);
  return out;
}

bool Decode(std::string_view bytes, StreamPosition* position) {
  TokenParser parser{bytes};
  position->expires = parser.Raw<Micros>();
  position->source_version = parser.Text();
  if (!position->start.ParseFromString(parser.Text())) return false;
  std::vector<Hash> hashes;
  const auto count = parser.Raw<uint32_t>();
  for (uint32_t i = 0; i < count && parser.ok; ++i) {
    const std::string_view hash = parser.Take(kHashSize);
    if (parser.ok) hashes.push_back(HashFromBytes(hash));
  }
  position->at_end = parser.Raw<uint8_t>() != 0;
  if (parser.Raw<uint8_t>() != 0) position->after = TakeKey(parser);
  if (!parser.ok || !parser.rest.empty() || position->start.batches() < 0) return false;
  auto tree = audit::CompactRange::Restore(static_cast<uint64_t>(position->start.batches()),
                                           std::move(hashes));
  if (!tree.ok()) return false;
  position->tree = *std::move(tree);
  return true;
}

}  // namespace

std::string TokenBinding::Bytes() const {
  std::string out;
  for (const std::string* part : {&principal, &grant, &dataset, &request_digest})
    PutText(out, *part);
  PutRaw(out, grant_revision);
  PutRaw(out, dataset_revision);
  return out;
}

std::string Tokens::SealPage(const TokenBinding& binding, const PagePosition& position) const {
  return sealed_.Seal(TokenKind::kPage, Encode(position), binding.Bytes());
}

absl::StatusOr<PagePosition> Tokens::OpenPage(const TokenBinding& binding, std::string_view token,
                                              Micros now) const {
  const auto plain = sealed_.Open(TokenKind::kPage, token, binding.Bytes());
  PagePosition position;
  if (!plain || !Decode(*plain, &position))
    return Error(v1::REASON_PAGE_TOKEN_INVALID,
                 "the page token does not belong to this request, or the grant or dataset has "
                 "changed since it was given.");
  if (now >= position.expires)
    return Error(v1::REASON_PAGE_TOKEN_EXPIRED, "the page token is past its time.");
  return position;
}

std::string Tokens::SealResume(const TokenBinding& binding, const StreamPosition& position) const {
  return sealed_.Seal(TokenKind::kResume, Encode(position), binding.Bytes());
}

absl::StatusOr<StreamPosition> Tokens::OpenResume(const TokenBinding& binding,
                                                  std::string_view token, Micros now) const {
  const auto plain = sealed_.Open(TokenKind::kResume, token, binding.Bytes());
  StreamPosition position;
  if (!plain || !Decode(*plain, &position))
    return Error(v1::REASON_RESUME_TOKEN_INVALID,
                 "the resume token does not belong to this request, or the grant or dataset has "
                 "changed since it was given.");
  if (now >= position.expires)
    return Error(v1::REASON_RESUME_TOKEN_EXPIRED, "the resume token is past its time.");
  return position;
}

std::string Tokens::SealTicket(const std::string& principal, const v1::ReadRequest& request,
                               Micros expires) const {
  std::string plain;
  PutRaw(plain, expires);
  PutText(plain, request.SerializeAsString());
  return sealed_.Seal(TokenKind::kTicket, plain, principal);
}

absl::StatusOr<v1::ReadRequest> Tokens::OpenTicket(const std::string& principal,
                                                   std::string_view ticket, Micros now) const {
  const auto plain = sealed_.Open(TokenKind::kTicket, ticket, principal);
  TokenParser parser{plain ? std::string_view(*plain) : std::string_view()};
  const auto expires = parser.Raw<Micros>();
  v1::ReadRequest request;
  const std::string bytes = parser.Text();
  if (!parser.ok || !parser.rest.empty() || !request.ParseFromString(bytes))
    return Error(v1::REASON_TICKET_INVALID,
                 "the ticket is not one that this gateway gave to this caller.");
  if (now >= expires) return Error(v1::REASON_TICKET_EXPIRED, "the ticket is past its time.");
  return request;
}

}  // namespace sluice::exchange
