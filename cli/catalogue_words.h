// What a catalogue entry says of itself, in words: for pages of the terminal and for the exports.
#pragma once

#include <string>
#include <vector>

#include "cli/failure.h"
#include "cli/session.h"
#include "sluice/v1/catalogue.pb.h"

namespace sluice::cli {

// "conditional", "daily", "offered"; empty for what is not set.
std::string LowerEnumWord(const google::protobuf::EnumDescriptor* type, int number);

// "L3": of the entry as it says, or else of its most sensitive field; empty where it has none.
std::string EntryClass(const v1::Dataset& dataset);

// "awaits the authority's review"; empty for what is published.
std::string PublicationWords(const v1::Dataset& dataset);

// The lines of the entry's metadata, of what it states alone.
FailureLines MetadataLines(const Session& session, const v1::Dataset& dataset);

}  // namespace sluice::cli
