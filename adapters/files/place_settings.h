// Settings that say where the files of a source are, which of them are served, and how they are
// packed. docs/adapters/files.md has the tables.
#pragma once

#include <string>
#include <string_view>

#include "adapters/adapter.h"
#include "adapters/files/compression.h"
#include "adapters/files/drops.h"
#include "adapters/files/mistakes.h"
#include "adapters/files/remote_settings.h"

namespace sluice::adapters::files {

struct PlaceSettings {
  std::string folder;     // of this machine; empty where it is another
  RemoteSettings remote;  // where `folder` is empty
  DropSettings drops;
  UnpackSettings unpack;
};

// Whether the setting is one of them; then what is wrong with its value is among the mistakes.
bool TakePlaceSetting(const std::string& name, const std::string& value, PlaceSettings& place,
                      Mistakes& mistakes);
// Once all are taken: mistakes that lie between them, and what follows from them. `suffix`: how
// files' names end where nothing is said. `packs`: whether files of the kind may be compressed.
void FinishPlace(const Settings& settings, std::string_view suffix, bool packs,
                 PlaceSettings& place, Mistakes& mistakes);

}  // namespace sluice::adapters::files
