// Calls that were refused for who the caller is or what it may do, whichever listener they came by.
#pragma once

#include <functional>
#include <string>

#include "gateway/exchange/broker.h"

namespace sluice::exchange {

// 16 characters that are easy to read out: 80 random bits.
std::string MakeCallId(RandomSource& random);

// Of a peer whose certificate was refused: who it says it is stays a claim, only its own marks are
// kept. Nobody where the text is no certificate.
std::shared_ptr<const identity::Principal> UnknownPeer(std::string_view leaf_pem);

// The record of it, all but where it is.
audit::Draft RefusalDraft(const Call& call, const absl::Status& refused);

// Records that a call was refused, for whatever reason, and tells `done` the status with the call's
// id and the record's index.
void RecordRefusal(Denials& denials, const Call& call, absl::Status refused,
                   std::function<void(absl::Status)> done);

}  // namespace sluice::exchange
