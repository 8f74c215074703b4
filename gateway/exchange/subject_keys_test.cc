// The key that names a year's subjects, by two persons.
#include "gateway/exchange/subject_keys.h"

#include <gtest/gtest.h>

#include "gateway/exchange/exchange_testing.h"

namespace sluice::exchange {
namespace {

class SubjectKeysTest : public ::testing::Test {
 protected:
  Call Person(const std::string& name, v1::Role role) {
    Call call = exchange_.CallByPerson("audit-office", {role});
    auto principal = std::make_shared<identity::Principal>(*call.principal);
    principal->path = "agency/audit-office/person/" + name;
    call.principal = principal;
    call.call_id = "call-of-" + name;
    return call;
  }
  absl::StatusOr<v1::OpenSubjectKeyResponse> Open(const Call& call,
                                                  const v1::OpenSubjectKeyRequest& request) {
    const Pending<v1::OpenSubjectKeyResponse> pending;
    keys_.Open(call, request, pending.Done());
    return pending.Wait();
  }
  static v1::OpenSubjectKeyRequest Asking() {
    v1::OpenSubjectKeyRequest request;
    request.set_key_year(2025);
    request.set_case_reference("(2026) 1");
    request.mutable_basis()->set_law("Criminal Procedure Law");
    request.mutable_basis()->set_article("54");
    return request;
  }
  static v1::OpenSubjectKeyRequest Opening(const std::string& id) {
    v1::OpenSubjectKeyRequest request;
    request.set_id(id);
    return request;
  }

  Exchange exchange_;
  SubjectKeys keys_{{*exchange_.log, *exchange_.sealer, exchange_.pseudonyms, exchange_.clock}};
};

TEST_F(SubjectKeysTest, OneAsksAndAnotherOpensOnceAndBothAreRecorded) {
  const auto asked = Open(Person("wang", v1::ROLE_AUDITOR), Asking());
  ASSERT_TRUE(asked.ok()) << asked.status();
  EXPECT_EQ(asked->key(), "");
  EXPECT_EQ(ReasonOf(Open(Person("wang", v1::ROLE_AUDITOR), Opening(asked->id())).status()),
            v1::REASON_SAME_HANDS);
  const auto opened = Open(Person("li", v1::ROLE_AUTHORITY), Opening(asked->id()));
  ASSERT_TRUE(opened.ok()) << opened.status();
  EXPECT_EQ(opened->key().size(), 4 * 32u);
  // It is the key that the log's pseudonyms of that year are made with, and of no other.
  EXPECT_EQ(opened->key().substr(32, 32), exchange_.pseudonyms.SubjectKey("CN-RID", 2025));
  EXPECT_NE(opened->key().substr(32, 32), exchange_.pseudonyms.SubjectKey("CN-RID", 2026));
  EXPECT_EQ(ReasonOf(Open(Person("li", v1::ROLE_AUTHORITY), Opening(asked->id())).status()),
            v1::REASON_NOT_FOUND);
  const auto records = exchange_.Records(v1::RECORD_KIND_CHANGED);
  ASSERT_EQ(records.size(), 2u);
  EXPECT_EQ(records[0].envelope.action(), "ask");
  EXPECT_EQ(records[1].envelope.action(), "open");
  EXPECT_EQ(records[1].envelope.resource_name(), "2025");
  EXPECT_EQ(records[1].envelope.basis().law(), "Criminal Procedure Law");
  EXPECT_EQ(records[1].detail.case_reference(), "(2026) 1");
  EXPECT_EQ(records[1].index, opened->index());
}

TEST_F(SubjectKeysTest, WhatWasAskedForIsGoodForADay) {
  const auto asked = Open(Person("wang", v1::ROLE_AUDITOR), Asking());
  ASSERT_TRUE(asked.ok());
  exchange_.clock.Advance(kDay);
  EXPECT_EQ(ReasonOf(Open(Person("li", v1::ROLE_AUDITOR), Opening(asked->id())).status()),
            v1::REASON_NOT_FOUND);
}

TEST_F(SubjectKeysTest, AskingSaysYearCaseAndLaw) {
  const auto refused = [&](const std::function<void(v1::OpenSubjectKeyRequest&)>& spoil) {
    v1::OpenSubjectKeyRequest request = Asking();
    spoil(request);
    return ReasonOf(Open(Person("wang", v1::ROLE_AUDITOR), request).status());
  };
  EXPECT_EQ(refused([](auto& r) { r.set_key_year(2999); }), v1::REASON_REQUEST_INVALID);
  EXPECT_EQ(refused([](auto& r) { r.clear_case_reference(); }), v1::REASON_REQUEST_INVALID);
  EXPECT_EQ(refused([](auto& r) { r.clear_basis(); }), v1::REASON_REQUEST_INVALID);
  EXPECT_TRUE(exchange_.Records(v1::RECORD_KIND_CHANGED).empty());
}

}  // namespace
}  // namespace sluice::exchange
