// What the law asks of a catalogue entry beside what the gateway needs to lend it (Decree 809,
// Art. 13 to 17; core metadata of GB/T 21063.3), and who may know of an entry before the authority
// has published it.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "gateway/base/yaml.h"
#include "sluice/v1/catalogue.pb.h"

namespace sluice::catalogue {

// When an entry may be known to others than its owner and the authority.
enum class PublicationRule {
  kOwner,      // as soon as its owner has applied it
  kAuthority,  // once the authority has reviewed it, and from then on for good
};
// "owner", "authority"; nothing for another word.
std::optional<PublicationRule> PublicationRuleFromWord(std::string_view word);

using TellMistake = std::function<void(std::string_view path, std::string_view mistake)>;

// Mistakes of the metadata whatever the rule: lengths, counts, words that there are. Paths as in
// the message: "metadata.category".
void CheckMetadata(const v1::EntryMetadata& metadata, const TellMistake& mistake);

// DEFINITION_INVALID with a field violation for each part ("dataset.metadata.review.approved_by")
// without which the authority publishes no entry: who examined and approved it, and of a
// conditional one who may have it.
absl::Status CheckForPublication(const v1::Dataset& definition);

// What was never reviewed because no rule asked for it counts as published.
bool IsPublished(const v1::Dataset& definition);

// The block `catalogue:` of a dataset's file.
void ReadMetadata(YamlMap map, v1::EntryMetadata& metadata);

}  // namespace sluice::catalogue
