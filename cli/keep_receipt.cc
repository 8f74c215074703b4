#include "cli/keep_receipt.h"

#include "cli/receipts.h"
#include "gateway/base/error.h"

namespace sluice::cli {

absl::StatusOr<std::string> KeepInState(Session& session, const v1::Receipt& receipt) {
  const std::string folder = StateFolder(session.environment.variable);
  if (folder.empty())
    return UsageError("there is no place for receipts: neither HOME nor XDG_STATE_HOME is set.",
                      "XDG_STATE_HOME=DIR sluice …");
  SLUICE_ASSIGN_OR_RETURN(const Profile* const profile, session.GetProfile());
  auto path = KeepReceipt(session.environment.files, folder, receipt, profile->log_key);
  if (!path.ok()) return Annotate(path.status(), "keeping the receipt");
  return path;
}

}  // namespace sluice::cli
