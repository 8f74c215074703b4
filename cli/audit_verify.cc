#include "cli/audit_verify.h"

#include <algorithm>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "cli/audit_seal.h"
#include "cli/named_file.h"
#include "cli/pack_archive.h"
#include "cli/pack_check.h"
#include "cli/progress.h"
#include "gateway/audit/copy_verifier.h"
#include "gateway/audit/log_copy.h"
#include "gateway/audit/log_verifier.h"
#include "gateway/audit/tiles.h"
#include "gateway/base/error.h"
#include "gateway/base/https_reader.h"

namespace sluice::cli {
namespace {

// A whole bundle of the longest entries.
constexpr size_t kMostResource = 256 * (65535 + 2);

struct VerifyOptions {
  std::string what, key;
};

std::string FormatFindings(const std::vector<audit::VerifyLine>& lines) {
  size_t names = 0, findings = 0;
  for (const audit::VerifyLine& line : lines) {
    names = std::max(names, DisplayWidth(line.name));
    if (line.ok) findings = std::max(findings, DisplayWidth(line.finding));
  }
  std::string out;
  for (const audit::VerifyLine& line : lines)
    absl::StrAppend(&out, PadRight(line.name, names + 2),
                    line.ok ? PadRight(line.finding, findings + 2) + "ok" : line.finding, "\n");
  return out;
}

absl::Status PrintLog(Session& session, const absl::StatusOr<audit::VerifyReport>& report,
                      const audit::LogBroken& broken, const std::string& what,
                      const std::optional<std::string>& sealed = std::nullopt) {
  if (report.ok()) {
    std::vector<audit::VerifyLine> findings = report->lines;
    if (sealed) findings.push_back({"sealed", *sealed});
    session.environment.out << FormatFindings(findings) << "verified " << report->records
                            << " records, root " << Base64Encode(AsBytes(report->root)) << "\n";
    return absl::OkStatus();
  }
  if (broken.what.empty()) return Annotate(report.status(), what);
  FailureLines lines;
  if (!broken.holds.empty()) lines.emplace_back("holds", broken.holds);
  if (sealed) lines.emplace_back("sealed", *sealed);
  return LocalError(
      "LOG_BROKEN",
      broken.where.empty() ? broken.what : absl::StrCat(broken.what, " (", broken.where, ")"),
      std::move(lines), broken.next);
}

absl::Status VerifyFolder(Session& session, const VerifyOptions& options,
                          const audit::VerifierKey& key) {
  audit::LogBroken broken;
  absl::StatusOr<audit::VerifyReport> report;
  {
    ProgressBar bar(session.environment);
    report = audit::VerifyLog(options.what, key, session.environment.files, &broken,
                              [&bar](uint64_t done, uint64_t all) { bar.Show(done, all); });
  }
  SLUICE_ASSIGN_OR_RETURN(const auto sealed,
                          SealedWords(session.environment.files, options.what, key.name));
  return PrintLog(session, report, broken, options.what, sealed);
}

absl::Status VerifyResources(Session& session, const VerifyOptions& options,
                             const audit::VerifierKey& key, const audit::ReadResource& read) {
  audit::LogBroken broken;
  absl::StatusOr<audit::VerifyReport> report;
  {
    ProgressBar bar(session.environment);
    report = audit::VerifyTiles(key, read, &broken,
                                [&bar](uint64_t done, uint64_t all) { bar.Show(done, all); });
  }
  return PrintLog(session, report, broken, options.what);
}

absl::Status VerifyUrl(Session& session, const VerifyOptions& options,
                       const audit::VerifierKey& key) {
  SLUICE_ASSIGN_OR_RETURN(const Profile* profile, session.GetProfile());
  HttpsReader reader({.certificate = profile->certificate,
                      .key = profile->key,
                      .authorities = profile->authorities});
  std::string base = options.what;
  while (absl::EndsWith(base, "/")) base.pop_back();
  absl::Status trouble;
  const absl::Status status = VerifyResources(
      session, options, key, [&](const std::string& name) -> absl::StatusOr<std::string> {
        auto body = reader.Get(absl::StrCat(base, "/", name), kMostResource);
        if (!body.ok() && !absl::IsNotFound(body.status())) trouble = body.status();
        return body;
      });
  if (trouble.ok()) return status;
  // A log that cannot be read is not a broken one.
  const bool refused = absl::IsPermissionDenied(trouble);
  return LocalError(refused ? "NOT_AN_AUDITOR" : "LOG_NOT_READ",
                    std::string(trouble.message()) + ".", {},
                    refused ? "tiles are for persons with the role auditor: sluice whoami"
                            : "look whether audit.http.listen is set there, and the URL is right",
                    refused ? kDenied : kTryLater);
}

absl::Status VerifyPack(Session& session, const VerifyOptions& options,
                        const audit::VerifierKey& key) {
  Environment& environment = session.environment;
  absl::StatusOr<PackReport> report;
  {
    ProgressBar bar(environment);
    report = CheckPack(environment.files, options.what, key,
                       [&bar](uint64_t done, uint64_t all) { bar.Show(done, all); });
  }
  if (!report.ok()) {
    if (!absl::IsInvalidArgument(report.status())) return NotRead(options.what, report.status());
    return LocalError("PACK_BROKEN", std::string(report.status().message()) + ".",
                      {{"pack", options.what}},
                      "trust nothing in it; keep it, and ask for another: sluice audit export");
  }
  environment.out << FormatFindings(report->lines) << "verified " << report->summary.records
                  << " records of " << report->summary.origin << ", root " << report->summary.root
                  << "\n";
  return absl::OkStatus();
}

absl::Status VerifyWhatever(Session& session, const VerifyOptions& options) {
  FileSystem& files = session.environment.files;
  SLUICE_ASSIGN_OR_RETURN(const audit::VerifierKey key, ReadVerifierKey(files, options.key));
  if (absl::StartsWith(options.what, "https://")) return VerifyUrl(session, options, key);
  const auto info = files.Stat(options.what);
  // A mistyped name is no broken log.
  if (!info.ok()) return NotRead(options.what, info.status());
  if (!info->is_directory) return VerifyPack(session, options, key);
  if (const auto names = files.List(options.what); !names.ok())
    return NotRead(options.what, names.status());
  if (!files.Stat(JoinPath(options.what, audit::kCopyCheckpoint)).ok())
    return VerifyFolder(session, options, key);
  return VerifyResources(session, options, key, [&](const std::string& name) {
    return files.ReadAll(JoinPath(options.what, name), kMostResource);
  });
}

}  // namespace

void AddAuditVerifyCommand(CLI::App& audit, Invocation& invocation) {
  auto options = std::make_shared<VerifyOptions>();
  CLI::App* command = audit.add_subcommand(
      "verify",
      "check a whole log, a copy of one, or an archive of audit export, offline; or a "
      "log's tiles by their URL");
  command
      ->add_option("what", options->what,
                   "the log's folder, a copy by audit pull, NAME.zip, or https://…")
      ->type_name("DIR")
      ->required();
  command->add_option("--key", options->key, "log.vkey, or what it says")
      ->type_name("FILE")
      ->required();
  command->callback([&invocation, options] {
    invocation.command = [options](Session& session) { return VerifyWhatever(session, *options); };
  });
}

}  // namespace sluice::cli
