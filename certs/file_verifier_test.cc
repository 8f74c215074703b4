// A verifier over files follows them.
#include "certs/file_verifier.h"

#include <gtest/gtest.h>

#include "certs/authority_testing.h"
#include "gateway/base/error.h"
#include "gateway/base/fake_clock.h"

namespace sluice::certs {
namespace {

constexpr char kServed[] = "spiffe://gov.example/gateway/gw1";

class FileVerifierTest : public testing::Test {
 protected:
  FileVerifierTest() : authority_(TestAuthority::Root("Root", clock_.Now())) {
    Write("authority.pem", authority_.pem());
    Write("lists.pem", authority_.ListPem());
  }
  void Write(const std::string& name, const std::string& text) {
    ASSERT_TRUE(files_->WriteAtomically(folder_.Path(name), text).ok());
  }
  absl::StatusOr<std::unique_ptr<FileVerifier>> Open() {
    return FileVerifier::Open(
        {"gov.example", {{folder_.Path("authority.pem"), folder_.Path("lists.pem")}}}, *files_,
        clock_);
  }

  FakeClock clock_;
  std::unique_ptr<FileSystem> files_ = MakePosixFileSystem();
  TemporaryFolder folder_;
  TestAuthority authority_;
};

TEST_F(FileVerifierTest, ANewListIsInForceASecondLater) {
  const TestLeaf leaf = authority_.Issue(kServed);
  auto verifier = Open();
  ASSERT_TRUE(verifier.ok()) << verifier.status();
  EXPECT_TRUE((*verifier)->Get()->Verify(leaf.certificate_pem, clock_.Now()).ok());
  Write("lists.pem", authority_.ListPem({leaf.certificate.serial()}));
  clock_.Advance(kSecond);
  EXPECT_EQ(ReasonOf((*verifier)->Get()->Verify(leaf.certificate_pem, clock_.Now()).status()),
            v1::REASON_CERTIFICATE_REVOKED);
}

TEST_F(FileVerifierTest, AFileThatCannotBeReadChangesNothing) {
  const TestLeaf leaf = authority_.Issue(kServed);
  Write("lists.pem", authority_.ListPem({leaf.certificate.serial()}));
  auto verifier = Open();
  ASSERT_TRUE(verifier.ok()) << verifier.status();
  Write("lists.pem", "half of a li");
  clock_.Advance(2 * kSecond);
  EXPECT_EQ(ReasonOf((*verifier)->Get()->Verify(leaf.certificate_pem, clock_.Now()).status()),
            v1::REASON_CERTIFICATE_REVOKED);
}

TEST_F(FileVerifierTest, MissingFilesAreNamedAtOnce) {
  ASSERT_TRUE(files_->Remove(folder_.Path("lists.pem")).ok());
  const absl::Status status = Open().status();
  EXPECT_EQ(ReasonOf(status), v1::REASON_DEFINITION_INVALID);
  EXPECT_NE(status.message().find("lists.pem"), absl::string_view::npos) << status;
}

}  // namespace
}  // namespace sluice::certs
