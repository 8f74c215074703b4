#include "gateway/audit/seal.h"

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "gateway/audit/text_lines.h"
#include "gateway/base/clock.h"
#include "gateway/base/error.h"
#include "gateway/base/view.h"

namespace sluice::audit {
namespace {

constexpr std::string_view kStatementBegins = "sluice-seal/v1\n";
constexpr std::string_view kSignatureBegins = "sluice-seal-signature/v1\n";
constexpr size_t kSigners = 2;

// Takes "name value" off the text.
absl::StatusOr<std::string> TakeSealLine(std::string_view& rest, std::string_view name) {
  const auto line = TakeLine(rest);
  if (!line || line->size() <= name.size() + 1 || line->substr(0, name.size()) != name ||
      (*line)[name.size()] != ' ')
    return absl::InvalidArgumentError(absl::StrCat("the line \"", View(name), " …\" is missing"));
  return std::string(line->substr(name.size() + 1));
}

absl::StatusOr<uint64_t> TakeSealNumber(std::string_view& rest, std::string_view name) {
  SLUICE_ASSIGN_OR_RETURN(const std::string text, TakeSealLine(rest, name));
  const auto number = ParseDecimal(text);
  if (!number || *number > uint64_t{1} << 62)
    return absl::InvalidArgumentError(absl::StrCat(View(name), ": no number"));
  return *number;
}

absl::StatusOr<Hash> TakeSealHash(std::string_view& rest, std::string_view name) {
  SLUICE_ASSIGN_OR_RETURN(const std::string text, TakeSealLine(rest, name));
  auto hash = ParseHash(text);
  if (!hash.ok()) return Annotate(hash.status(), name);
  return hash;
}

absl::Status CheckWords(const SealStatement& statement) {
  if (!IsKeyName(statement.origin)) return absl::InvalidArgumentError("origin: no log's name");
  if (statement.reason.empty() || statement.reason.size() > kMostSealReason ||
      !IsNoteText(statement.reason) || statement.reason.find('\n') != std::string::npos)
    return absl::InvalidArgumentError(
        absl::StrCat("reason: one line of 1 to ", kMostSealReason, " bytes is needed"));
  return absl::OkStatus();
}

// "agency/audit-office/person/wang".
absl::StatusOr<std::string> SignerOf(const certs::Certificate& certificate) {
  if (certificate.uris().size() != 1)
    return absl::InvalidArgumentError("a signer's certificate names nobody, or several");
  auto identity = certs::ParseSpiffeId(certificate.uris()[0]);
  if (!identity.ok()) return absl::InvalidArgumentError(identity.status().message());
  if (identity->kind != certs::Kind::kPerson)
    return absl::InvalidArgumentError(
        absl::StrCat(identity->Path(), " is no person: a seal is put on by two persons"));
  return identity->Path();
}

}  // namespace

std::string FormatSealStatement(const SealStatement& statement) {
  return absl::StrCat(
      View(kStatementBegins), "origin ", statement.origin, "\nkey ",
      Base64Encode(AsBytes(statement.key_digest)), "\nsize ", statement.size, "\nroot ",
      Base64Encode(AsBytes(statement.root)), "\nhead-size ", statement.head_size, "\nhead-root ",
      Base64Encode(AsBytes(statement.head_root)), "\nbytes-behind ", statement.bytes_behind,
      "\nreason ", statement.reason, "\ntime ", FormatUtc(statement.time), "\n");
}

absl::StatusOr<SealStatement> ParseSealStatement(std::string_view text) {
  std::string_view rest = text;
  if (rest.substr(0, kStatementBegins.size()) != kStatementBegins)
    return absl::InvalidArgumentError("no statement of a seal: \"sluice-seal/v1\" is missing");
  rest.remove_prefix(kStatementBegins.size());
  SealStatement statement;
  SLUICE_ASSIGN_OR_RETURN(statement.origin, TakeSealLine(rest, "origin"));
  SLUICE_ASSIGN_OR_RETURN(statement.key_digest, TakeSealHash(rest, "key"));
  SLUICE_ASSIGN_OR_RETURN(statement.size, TakeSealNumber(rest, "size"));
  SLUICE_ASSIGN_OR_RETURN(statement.root, TakeSealHash(rest, "root"));
  SLUICE_ASSIGN_OR_RETURN(statement.head_size, TakeSealNumber(rest, "head-size"));
  SLUICE_ASSIGN_OR_RETURN(statement.head_root, TakeSealHash(rest, "head-root"));
  SLUICE_ASSIGN_OR_RETURN(statement.bytes_behind, TakeSealNumber(rest, "bytes-behind"));
  SLUICE_ASSIGN_OR_RETURN(statement.reason, TakeSealLine(rest, "reason"));
  SLUICE_ASSIGN_OR_RETURN(const std::string time, TakeSealLine(rest, "time"));
  if (!ParseTime(time, &statement.time)) return absl::InvalidArgumentError("time: no time");
  SLUICE_RETURN_IF_ERROR(CheckWords(statement));
  if (FormatSealStatement(statement) != text)
    return absl::InvalidArgumentError("it is not written as a statement is");
  return statement;
}

std::string FormatSealSignature(const SealSignature& signature) {
  return absl::StrCat(View(kSignatureBegins), "certificate ",
                      Base64Encode(signature.certificate.der()), "\nsignature ",
                      Base64Encode(signature.signature), "\n");
}

absl::StatusOr<SealSignature> ParseSealSignature(std::string_view text, std::string_view place) {
  std::string_view rest = text;
  if (rest.substr(0, kSignatureBegins.size()) != kSignatureBegins)
    return absl::InvalidArgumentError(
        absl::StrCat(View(place), ": no signature of a seal: its first line is missing"));
  rest.remove_prefix(kSignatureBegins.size());
  SLUICE_ASSIGN_OR_RETURN(const std::string certificate, TakeSealLine(rest, "certificate"));
  SLUICE_ASSIGN_OR_RETURN(const std::string signature, TakeSealLine(rest, "signature"));
  SLUICE_ASSIGN_OR_RETURN(const std::string der, Base64Decode(certificate));
  auto parsed = certs::Certificate::FromDer(der, place);
  if (!parsed.ok()) return absl::InvalidArgumentError(parsed.status().message());
  SealSignature result{*std::move(parsed), ""};
  SLUICE_ASSIGN_OR_RETURN(result.signature, Base64Decode(signature));
  if (FormatSealSignature(result) != text)
    return absl::InvalidArgumentError(absl::StrCat(View(place), ": more than a signature"));
  return result;
}

std::string FormatSeal(const Seal& seal) {
  std::string text = seal.statement;
  for (const SealSignature& signature : seal.signatures)
    absl::StrAppend(&text, "\n", FormatSealSignature(signature));
  return text;
}

absl::StatusOr<Seal> ParseSeal(std::string_view text, std::string_view place) {
  const std::vector<std::string> parts = absl::StrSplit(View(text), "\n\n");
  Seal seal;
  seal.statement = parts[0] + (parts.size() > 1 ? "\n" : "");
  for (size_t i = 1; i < parts.size(); ++i) {
    SLUICE_ASSIGN_OR_RETURN(
        SealSignature signature,
        ParseSealSignature(parts[i] + (i + 1 < parts.size() ? "\n" : ""), place));
    seal.signatures.push_back(std::move(signature));
  }
  return seal;
}

absl::StatusOr<v1::SealInfo> SealInfoOf(const Seal& seal) {
  SLUICE_ASSIGN_OR_RETURN(const SealStatement statement, ParseSealStatement(seal.statement));
  if (seal.signatures.size() != kSigners)
    return absl::InvalidArgumentError(absl::StrCat("two signatures are needed, and there are ",
                                                   seal.signatures.size(),
                                                   ": sluice audit seal sign, by two persons"));
  v1::SealInfo info;
  info.set_origin(statement.origin);
  info.set_key_digest(std::string(AsBytes(statement.key_digest)));
  info.set_size(static_cast<int64_t>(statement.size));
  info.set_root(std::string(AsBytes(statement.root)));
  info.set_head_size(static_cast<int64_t>(statement.head_size));
  info.set_head_root(std::string(AsBytes(statement.head_root)));
  info.set_bytes_behind(static_cast<int64_t>(statement.bytes_behind));
  info.set_reason(statement.reason);
  info.mutable_sealed()->set_seconds(statement.time / kSecond);
  info.set_statement(seal.statement);
  for (const SealSignature& one : seal.signatures) {
    SLUICE_ASSIGN_OR_RETURN(const std::string signer, SignerOf(one.certificate));
    if (!certs::VerifySignature(one.certificate, seal.statement, one.signature))
      return absl::InvalidArgumentError(
          absl::StrCat("the signature of ", signer,
                       " is not over this statement: it was altered, or is another"));
    v1::SealSigner& added = *info.add_signers();
    added.set_principal(signer);
    added.set_certificate(one.certificate.der());
    added.set_signature(one.signature);
  }
  if (info.signers(0).principal() == info.signers(1).principal() ||
      seal.signatures[0].certificate.spki_hash() == seal.signatures[1].certificate.spki_hash())
    return absl::InvalidArgumentError(absl::StrCat("both signatures are of ",
                                                   info.signers(0).principal(),
                                                   ": a seal is put on by two persons"));
  return info;
}

absl::StatusOr<v1::SealInfo> CheckSeal(const Seal& seal, const certs::ChainVerifier& verifier,
                                       Micros now) {
  SLUICE_ASSIGN_OR_RETURN(v1::SealInfo info, SealInfoOf(seal));
  for (const SealSignature& one : seal.signatures)
    SLUICE_RETURN_IF_ERROR(verifier.Verify(one.certificate, now).status());
  return info;
}

absl::Status CheckSealInfo(const v1::SealInfo& info) {
  Seal seal{info.statement(), {}};
  for (const v1::SealSigner& signer : info.signers()) {
    auto certificate = certs::Certificate::FromDer(signer.certificate(), "a signer's certificate");
    if (!certificate.ok()) return absl::InvalidArgumentError(certificate.status().message());
    seal.signatures.push_back({*std::move(certificate), signer.signature()});
  }
  SLUICE_ASSIGN_OR_RETURN(const v1::SealInfo again, SealInfoOf(seal));
  if (again.SerializeAsString() != info.SerializeAsString())
    return absl::InvalidArgumentError("it says something else than the statement that was signed");
  return absl::OkStatus();
}

std::string SuccessorOrigin(std::string_view origin) {
  const size_t slash = origin.rfind('/');
  if (slash != origin.npos) {
    const auto number = ParseDecimal(origin.substr(slash + 1));
    if (number && *number >= 2)
      return absl::StrCat(View(origin.substr(0, slash)), "/", *number + 1);
  }
  return absl::StrCat(View(origin), "/2");
}

std::string SealWords(const v1::SealInfo& info) {
  std::string words = absl::StrCat(info.origin(), ", sealed with ", info.size(), " records on ",
                                   FormatUtc(info.sealed().seconds() * kSecond), " by ",
                                   info.signers(0).principal(), " and ",
                                   info.signers(1).principal(), ": ", info.reason());
  if (info.head_size() > info.size())
    absl::StrAppend(&words, "; #", info.size(), " to #", info.head_size() - 1, " are lost");
  return words;
}

}  // namespace sluice::audit
