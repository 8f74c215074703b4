// The file of a stream while it comes: FILE.part until it is whole, with a journal beside it
// (FILE.part.journal) of what stands in it, so that another run of the tool can go on where one
// ended, however it ended. The journal holds each message without its payload; what it says of the
// file is held against the receipts anew when it is taken up.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "cli/environment.h"
#include "sluice/v1/exchange.pb.h"

namespace sluice::cli {

class StreamFile {
 public:
  // A file, or "-" for the standard output, which has neither journal nor temporary name.
  StreamFile(Environment& environment, std::string name)
      : environment_(environment), name_(std::move(name)) {}

  bool is_file() const { return name_ != "-"; }
  std::string part() const { return name_ + ".part"; }
  std::string journal() const { return name_ + ".part.journal"; }

  // Whether there is a place for it, before anybody is asked for anything.
  absl::Status CheckPlace() const;
  // Whether an earlier run left something that could be taken up.
  bool HasJournal() const;

  // Anew. `request` is what is read, and says later whether the same is asked for.
  absl::Status Open(const v1::ReadRequest& request);
  // Takes up what an earlier run left: each message, with its payload from the file, is given to
  // `take`, until one does not fit or nothing follows; what stands behind is dropped. The request
  // id of then. NOTHING_TO_RESUME, ANOTHER_REQUEST.
  absl::StatusOr<std::string> TakeUp(
      const v1::ReadRequest& request,
      const std::function<absl::Status(const v1::ReadResponse&)>& take);

  // A message that was checked: its payload goes to the file, the rest into the journal.
  absl::Status Add(const v1::ReadResponse& message);
  // All is written and synced; the files keep their names.
  absl::Status Close();
  // The file gets its own name, and the journal goes.
  absl::Status Name();

 private:
  absl::Status AppendJournal(std::string_view bytes);
  absl::Status RemoveIfThere(const std::string& path);
  // The first `size` bytes of a file, as a file.
  absl::Status Shorten(const std::string& path, uint64_t size);

  Environment& environment_;
  const std::string name_;
  std::unique_ptr<WritableFile> file_, journal_;
  uint64_t size_ = 0, journal_size_ = 0;
};

}  // namespace sluice::cli
