// A grant on one page: who may see what of what, why, by which law, and until when.
#pragma once

#include <string>

#include "cli/session.h"
#include "sluice/v1/catalogue.pb.h"
#include "sluice/v1/sharing.pb.h"

namespace sluice::cli {

struct GrantPage {
  v1::GetGrantResponse answer;
  v1::Dataset dataset;  // empty where it may not be seen
};
std::string FormatGrant(const Session& session, const GrantPage& page);

}  // namespace sluice::cli
