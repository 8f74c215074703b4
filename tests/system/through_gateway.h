// A kind of source as a consumer sees it: the same adapter interface, answered by Query calls to a
// real gateway over mutual TLS, so that the adapters' conformance suite runs through one.
#pragma once

#include "tests/conformance/adapter_under_test.h"

namespace sluice::system_test {

// `kind` through a gateway that all its cases share, each with sources and datasets of its own.
adapters::conformance::KindUnderTest ThroughGateway(adapters::conformance::KindUnderTest kind);

}  // namespace sluice::system_test
