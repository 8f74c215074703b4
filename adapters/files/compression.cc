#include "adapters/files/compression.h"

#include <zlib.h>
#include <zstd.h>
#include <zstd_errors.h>

#include <algorithm>
#include <string_view>
#include <vector>

#include "absl/strings/str_cat.h"
#include "adapters/files/errors.h"
#include "adapters/files/joined.h"
#include "adapters/files/scratch_content.h"
#include "gateway/base/error.h"
#include "gateway/base/mutex.h"

namespace sluice::adapters::files {
namespace {

constexpr size_t kPackedBytes = 64 << 10;
constexpr size_t kUnpackedBytes = 128 << 10;
constexpr int64_t kMostRatio = 250;
constexpr int64_t kAnyRatioUpTo = 16 << 20;
constexpr int64_t kMostStart = 8 << 20;
// Of zstd: 8 MiB, which RFC 8878 asks every reader for, and levels up to 19 keep to.
constexpr int kMostWindowLog = 23;

// One stream. One thread at a time.
class Stream {
 public:
  virtual ~Stream() = default;
  // Takes from `in`, appends to `out` up to `room` bytes. What is wrong with the stream; empty for
  // nothing.
  virtual std::string Take(std::string_view& in, size_t room, std::string& out) = 0;
  // Whether it can end here.
  virtual bool whole() const = 0;
};

class Gzip : public Stream {
 public:
  Gzip() { ready_ = inflateInit2(&zlib_, 15 + 16) == Z_OK; }
  ~Gzip() override { inflateEnd(&zlib_); }
  Gzip(const Gzip&) = delete;
  Gzip& operator=(const Gzip&) = delete;

  std::string Take(std::string_view& in, size_t room, std::string& out) override {
    if (!ready_) return "cannot be unpacked for want of memory";
    // Members one behind the other are one file.
    if (whole_ && !in.empty()) inflateReset(&zlib_);
    whole_ = whole_ && in.empty();
    const size_t had = out.size();
    out.resize(had + room);
    zlib_.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(in.data()));
    zlib_.avail_in = static_cast<uInt>(in.size());
    zlib_.next_out = reinterpret_cast<Bytef*>(out.data() + had);
    zlib_.avail_out = static_cast<uInt>(room);
    const int result = inflate(&zlib_, Z_NO_FLUSH);
    in.remove_prefix(in.size() - zlib_.avail_in);
    out.resize(out.size() - zlib_.avail_out);
    if (result == Z_STREAM_END) whole_ = true;
    return result == Z_OK || result == Z_STREAM_END || result == Z_BUF_ERROR
               ? ""
               : "is no gzip stream, or a corrupt one";
  }
  bool whole() const override { return whole_; }

 private:
  z_stream zlib_ = {};
  bool ready_ = false;
  bool whole_ = false;
};

class Zstd : public Stream {
 public:
  Zstd() : zstd_(ZSTD_createDCtx()) {
    ZSTD_DCtx_setParameter(zstd_, ZSTD_d_windowLogMax, kMostWindowLog);
  }
  ~Zstd() override { ZSTD_freeDCtx(zstd_); }
  Zstd(const Zstd&) = delete;
  Zstd& operator=(const Zstd&) = delete;

  std::string Take(std::string_view& in, size_t room, std::string& out) override {
    if (in.empty() && whole_) return "";
    const size_t had = out.size();
    out.resize(had + room);
    ZSTD_inBuffer from = {in.data(), in.size(), 0};
    ZSTD_outBuffer to = {out.data() + had, room, 0};
    const size_t result = ZSTD_decompressStream(zstd_, &to, &from);
    in.remove_prefix(from.pos);
    out.resize(had + to.pos);
    if (ZSTD_isError(result)) {
      return ZSTD_getErrorCode(result) == ZSTD_error_frameParameter_windowTooLarge
                 ? "was packed with a window of over 8 MiB: pack it with zstd -19 or less, without "
                   "--long"
                 : "is no zstd stream, or a corrupt one";
    }
    whole_ = result == 0;
    return "";
  }
  bool whole() const override { return whole_; }

 private:
  ZSTD_DCtx* const zstd_;
  bool whole_ = false;
};

std::unique_ptr<Stream> MakeStream(Compression compression) {
  if (compression == Compression::kGzip) return std::make_unique<Gzip>();
  return std::make_unique<Zstd>();
}

// A packed file, from its front. One thread at a time.
class Unpacker {
 public:
  Unpacker(std::shared_ptr<const SourceFile> file, std::string table,
           const UnpackSettings& settings, int64_t before = 0)
      : file_(std::move(file)),
        table_(std::move(table)),
        settings_(settings),
        before_(before),
        stream_(MakeStream(CompressionOf(file_->name(), settings.compression))) {}

  // Appends some more; false at the end.
  absl::StatusOr<bool> Next(std::string& out) {
    if (in_.empty() && offset_ < file_->size()) {
      packed_.resize(kPackedBytes);
      size_t read = 0;
      SLUICE_RETURN_IF_ERROR(file_->Read(offset_, packed_.size(), packed_.data(), &read));
      offset_ += static_cast<int64_t>(read);
      in_ = std::string_view(packed_).substr(0, read);
    }
    const bool at_end = in_.empty();
    const size_t had = out.size();
    const std::string wrong = stream_->Take(in_, kUnpackedBytes, out);
    if (!wrong.empty()) return BadFile(table_, absl::StrCat("the file ", wrong));
    unpacked_ += static_cast<int64_t>(out.size() - had);
    if (before_ + unpacked_ > settings_.most_unpacked_bytes)
      return BadFile(table_,
                     absl::StrCat("the file unpacks to over ", settings_.most_unpacked_bytes,
                                  " bytes (most_unpacked_bytes)"));
    if (unpacked_ > kAnyRatioUpTo && unpacked_ / kMostRatio > offset_)
      return BadFile(table_, absl::StrCat("the file unpacks to over ", kMostRatio,
                                          " times its size, as no table does"));
    if (!at_end || out.size() > had) return true;
    if (!stream_->whole())
      return BadFile(table_, "the compressed file was cut short: its end is missing");
    return false;
  }

 private:
  const std::shared_ptr<const SourceFile> file_;
  const std::string table_;
  const UnpackSettings settings_;
  const int64_t before_;  // bytes that others unpacked to
  const std::unique_ptr<Stream> stream_;
  std::string packed_;
  std::string_view in_;  // of packed_
  int64_t offset_ = 0;
  int64_t unpacked_ = 0;
};

// A piece of another.
class SliceContent : public Content {
 public:
  SliceContent(std::shared_ptr<const Content> whole, int64_t begin, int64_t size)
      : whole_(std::move(whole)), begin_(begin), size_(size) {}
  int64_t size() const override { return size_; }
  absl::Status Read(int64_t offset, size_t count, char* to, size_t* read) const override {
    const int64_t left = std::max<int64_t>(size_ - offset, 0);
    count = static_cast<size_t>(std::min<int64_t>(left, static_cast<int64_t>(count)));
    return whole_->Read(begin_ + offset, count, to, read);
  }

 private:
  const std::shared_ptr<const Content> whole_;
  const int64_t begin_, size_;
};

bool IsPacked(const SourceFile& file, const UnpackSettings& settings) {
  return CompressionOf(file.name(), settings.compression) != Compression::kNone;
}

// All files of it into one scratch.
class Decompressing : public Unpacking {
 public:
  Decompressing(std::shared_ptr<const SourceFile> file, std::string table,
                const UnpackSettings& settings)
      : file_(std::move(file)), table_(std::move(table)), settings_(settings) {}
  std::shared_ptr<const Content> content() const override { return content_; }

 protected:
  absl::Status Work(const Watch& watch) override {
    const absl::Status status = Unpack(watch);
    if (EndedByWatch(status)) return status;
    // Bytes that changed meanwhile may look like bad ones: that they changed comes first.
    SLUICE_ASSIGN_OR_RETURN(const bool unchanged, file_->Unchanged());
    if (!unchanged) return Changed();
    if (!SpeaksOfTheFile(status)) return status;
    unpacker_.reset();
    bytes_.reset();
    file_.reset();
    return status;
  }

  void Restart() override {
    unpacker_.reset();
    bytes_.reset();
    content_.reset();
    ends_.clear();
  }

 private:
  absl::Status Unpack(const Watch& watch) {
    if (bytes_ == nullptr) {
      SLUICE_ASSIGN_OR_RETURN(bytes_, ScratchBytes::Make(settings_.work_folder));
    }
    const auto parts = file_->parts();
    const size_t files = std::max<size_t>(parts.size(), 1);
    while (ends_.size() < files) {
      const auto& one = parts.empty() ? file_ : parts[ends_.size()];
      if (IsPacked(*one, settings_)) {
        const absl::Status status = UnpackOne(one, watch);
        if (!status.ok() && !parts.empty() && SpeaksOfTheFile(status)) {
          absl::Status named = status;
          AddKey(named, "file", one->name());
          return named;
        }
        SLUICE_RETURN_IF_ERROR(status);
      }
      ends_.push_back(bytes_->size());
    }
    SLUICE_ASSIGN_OR_RETURN(const auto whole, bytes_->Finish());
    if (parts.empty()) {
      content_ = whole;
      return absl::OkStatus();
    }
    std::vector<std::pair<std::string, std::shared_ptr<const Content>>> joined;
    for (size_t i = 0; i < files; ++i) {
      const int64_t begin = i == 0 ? 0 : ends_[i - 1];
      std::shared_ptr<const Content> one = parts[i];
      if (IsPacked(*parts[i], settings_))
        one = std::make_shared<const SliceContent>(whole, begin, ends_[i] - begin);
      joined.emplace_back(parts[i]->name(), std::move(one));
    }
    content_ = std::make_shared<const JoinedContent>(std::move(joined));
    return absl::OkStatus();
  }

  absl::Status UnpackOne(const std::shared_ptr<const SourceFile>& file, const Watch& watch) {
    if (unpacker_ == nullptr)
      unpacker_ = std::make_unique<Unpacker>(file, table_, settings_, bytes_->size());
    std::string bytes;
    for (bool more = true; more;) {
      SLUICE_RETURN_IF_ERROR(watch.Check());
      bytes.clear();
      SLUICE_ASSIGN_OR_RETURN(more, unpacker_->Next(bytes));
      SLUICE_RETURN_IF_ERROR(bytes_->Append(bytes));
    }
    unpacker_.reset();
    return absl::OkStatus();
  }

  std::shared_ptr<const SourceFile> file_;  // until done
  const std::string table_;
  const UnpackSettings settings_;
  std::unique_ptr<Unpacker> unpacker_;  // of the file that is unpacked now
  std::unique_ptr<ScratchBytes> bytes_;
  std::vector<int64_t> ends_;  // in bytes_, of the files that are done
  std::shared_ptr<const Content> content_;
};

class StartContent : public Content {
 public:
  StartContent(std::shared_ptr<const SourceFile> file, std::string table,
               const UnpackSettings& settings)
      : table_(table), unpacker_(std::move(file), std::move(table), settings) {}

  int64_t size() const override {
    MutexLock lock(mutex_);
    return at_end_ ? static_cast<int64_t>(bytes_.size()) : int64_t{1} << 50;
  }
  absl::Status Read(int64_t offset, size_t count, char* to, size_t* read) const override {
    MutexLock lock(mutex_);
    *read = 0;
    const int64_t end = offset + static_cast<int64_t>(count);
    while (!at_end_ && Unpacked() < std::min(end, kMostStart)) {
      SLUICE_ASSIGN_OR_RETURN(const bool more, unpacker_.Next(bytes_));
      at_end_ = !more;
    }
    if (!at_end_ && offset >= Unpacked())
      return BadFile(table_, "its columns are not known from its first 8 MiB");
    if (offset < Unpacked()) *read = bytes_.copy(to, count, static_cast<size_t>(offset));
    return absl::OkStatus();
  }

 private:
  int64_t Unpacked() const SLUICE_REQUIRES(mutex_) { return static_cast<int64_t>(bytes_.size()); }

  const std::string table_;
  mutable Mutex mutex_;
  mutable Unpacker unpacker_ SLUICE_GUARDED_BY(mutex_);
  mutable std::string bytes_ SLUICE_GUARDED_BY(mutex_);
  mutable bool at_end_ SLUICE_GUARDED_BY(mutex_) = false;
};

}  // namespace

Compression CompressionOf(const std::string& name, Compression said) {
  if (said != Compression::kByName) return said;
  if (name.ends_with(".gz")) return Compression::kGzip;
  return name.ends_with(".zst") ? Compression::kZstd : Compression::kNone;
}

std::shared_ptr<Unpacking> MakeDecompressing(std::shared_ptr<const SourceFile> file,
                                             const std::string& table,
                                             const UnpackSettings& settings) {
  const auto parts = file->parts();
  const bool any = parts.empty() ? IsPacked(*file, settings)
                                 : std::any_of(parts.begin(), parts.end(), [&](const auto& part) {
                                     return IsPacked(*part, settings);
                                   });
  if (!any) return nullptr;
  return std::make_shared<Decompressing>(std::move(file), table, settings);
}

std::shared_ptr<const Content> StartOf(const std::shared_ptr<const SourceFile>& file,
                                       const std::string& table, const UnpackSettings& settings) {
  const auto start = [&](const std::shared_ptr<const SourceFile>& one) {
    std::shared_ptr<const Content> content = one;
    if (IsPacked(*one, settings)) content = std::make_shared<StartContent>(one, table, settings);
    return content;
  };
  const auto parts = file->parts();
  if (parts.empty()) return start(file);
  std::vector<std::pair<std::string, std::shared_ptr<const Content>>> joined;
  for (const auto& part : parts) joined.emplace_back(part->name(), start(part));
  return std::make_shared<const JoinedContent>(std::move(joined));
}

}  // namespace sluice::adapters::files
