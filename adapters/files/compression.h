// Files that are compressed: unpacked once a version, into a Scratch, in bounded memory. What the
// version is stays the digest of the file as it was dropped.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "adapters/files/folder.h"
#include "adapters/files/unpacking.h"

namespace sluice::adapters::files {

enum class Compression { kNone, kGzip, kZstd, kByName };

struct UnpackSettings {
  Compression compression = Compression::kNone;
  int64_t most_unpacked_bytes = int64_t{16} << 30;
  std::string work_folder = "/var/tmp";
};

// `by name`: the name ends in .gz or .zst.
Compression CompressionOf(const std::string& name, Compression said);

// Of a file, or of several that are one table. Null where none is compressed. SOURCE_BAD_VALUE for
// a stream that is cut short or corrupt, and for one that unpacks to more than the settings allow,
// or to over 250 times its size.
std::shared_ptr<Unpacking> MakeDecompressing(std::shared_ptr<const SourceFile> file,
                                             const std::string& table,
                                             const UnpackSettings& settings);

// The file's beginning as rows are read from it: unpacked as it is read, up to 8 MiB, and not kept.
// Its size is said to be enormous until its end is met.
std::shared_ptr<const Content> StartOf(const std::shared_ptr<const SourceFile>& file,
                                       const std::string& table, const UnpackSettings& settings);

}  // namespace sluice::adapters::files
