// Sources of kind `remote` for the conformance suite: another kind, served as an adapter process
// serves it, over mutual TLS.
#pragma once

#include <string>

#include "tests/conformance/adapter_under_test.h"

namespace sluice::adapters::conformance {

// `behind`, which lies behind a server in this process that all cases share.
KindUnderTest RemoteKind(std::string name, KindUnderTest behind);

}  // namespace sluice::adapters::conformance
