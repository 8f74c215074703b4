#include "gateway/policy/request_form.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>

#include "absl/strings/str_cat.h"
#include "gateway/base/error.h"
#include "gateway/policy/policy_testing.h"

namespace sluice::policy {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

constexpr char kTrace[] = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

v1::QueryRequest Sound() {
  v1::QueryRequest request;
  request.set_dataset("police/persons");
  request.set_purpose("relief");
  return request;
}

std::vector<std::string> Mistakes(const v1::QueryRequest& request) {
  std::vector<std::string> paths;
  const absl::Status status = CheckForm(request);
  if (status.ok()) return paths;
  EXPECT_EQ(ReasonOf(status), v1::REASON_REQUEST_INVALID);
  const auto mistakes = BadRequestOf(status);
  for (const auto& violation : mistakes->field_violations()) paths.push_back(violation.field());
  return paths;
}

TEST(RequestForm, WhatIsSoundPasses) {
  v1::QueryRequest request = Sound();
  EXPECT_THAT(Mistakes(request), IsEmpty());
  std::string wide;
  for (int i = 0; i < 256; ++i) wide += "\xf0\xa0\xae\xb7";  // U+20BB7, four bytes
  request.set_case_reference(wide);
  request.set_end_user("李 雷");
  request.set_on_behalf_of("e\u0301");
  request.set_grant("7q4m2k");
  request.set_request_id("A.b-c_9");
  request.set_traceparent(kTrace);
  request.set_page_size(0);
  for (int i = 0; i < 256; ++i) request.add_fields(absl::StrCat("f", i));
  EXPECT_THAT(Mistakes(request), IsEmpty());
}

TEST(RequestForm, EachMistakeIsNamedByItsPath) {
  using Spoil = std::function<void(v1::QueryRequest&)>;
  const auto with_trace = [](std::string trace) -> Spoil {
    return [trace](v1::QueryRequest& r) { r.set_traceparent(trace); };
  };
  const auto with_case = [](std::string text) -> Spoil {
    return [text](v1::QueryRequest& r) { r.set_case_reference(text); };
  };
  const struct {
    std::string path;
    Spoil spoil;
  } rows[] = {
      {"dataset", [](auto& r) { r.clear_dataset(); }},
      {"dataset", [](auto& r) { r.set_dataset("police"); }},
      {"dataset", [](auto& r) { r.set_dataset("police/persons/2"); }},
      {"dataset", [](auto& r) { r.set_dataset("police/persons\n"); }},
      {"dataset", [](auto& r) { r.set_dataset(std::string("police/persons\0x", 16)); }},
      {"purpose", [](auto& r) { r.clear_purpose(); }},
      {"purpose", [](auto& r) { r.set_purpose("Relief"); }},
      {"purpose", [](auto& r) { r.set_purpose(std::string(64, 'a')); }},
      {"case_reference", with_case(std::string(257, 'x'))},
      {"case_reference", with_case("a\nb")},
      {"case_reference", with_case("a\x7f")},
      {"case_reference", with_case("a\u0085")},
      {"case_reference", with_case("\x1b[2J")},
      {"case_reference", with_case("\xff")},
      {"case_reference", with_case("\xed\xa0\x80")},
      {"case_reference", with_case(std::string("\0", 1))},
      {"end_user", [](auto& r) { r.set_end_user("a\tb"); }},
      {"on_behalf_of", [](auto& r) { r.set_on_behalf_of("\xc2"); }},
      {"grant", [](auto& r) { r.set_grant("7q4m2k;--"); }},
      {"grant", [](auto& r) { r.set_grant(std::string(65, 'a')); }},
      {"request_id", [](auto& r) { r.set_request_id(std::string(65, 'a')); }},
      {"request_id", [](auto& r) { r.set_request_id("a b"); }},
      {"request_id", [](auto& r) { r.set_request_id("ä"); }},
      {"traceparent", with_trace("00")},
      {"traceparent", with_trace("ff" + std::string(kTrace + 2))},
      {"traceparent", with_trace("00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01")},
      {"traceparent", with_trace("00-00000000000000000000000000000000-00f067aa0ba902b7-01")},
      {"traceparent", with_trace("00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01")},
      {"traceparent", with_trace(std::string(kTrace) + "x")},
      {"page_size", [](auto& r) { r.set_page_size(-1); }},
      {"page_token", [](auto& r) { r.set_page_token(std::string(8193, 'a')); }},
      {"parameters",
       [](auto& r) {
         for (int i = 0; i < 257; ++i) (*r.mutable_parameters())[absl::StrCat("p", i)];
       }},
      {"fields",
       [](auto& r) {
         for (int i = 0; i < 257; ++i) r.add_fields(absl::StrCat("f", i));
       }},
      {"fields[2]",
       [](auto& r) {
         for (const char* name : {"id", "name", "id"}) r.add_fields(name);
       }},
  };
  for (const auto& row : rows) {
    v1::QueryRequest request = Sound();
    row.spoil(request);
    EXPECT_THAT(Mistakes(request), ElementsAre(row.path)) << request.ShortDebugString();
  }
}

TEST(RequestForm, AllMistakesAreToldAtOnceAndNoneIsRepeated) {
  v1::QueryRequest request;
  request.set_dataset("110101199003074514");
  request.set_purpose("110101199003074514 ");
  request.set_end_user("110101199003074514\n");
  request.set_request_id("110101199003074514 ");
  request.set_page_size(-3);
  EXPECT_THAT(Mistakes(request),
              ElementsAre("dataset", "purpose", "end_user", "request_id", "page_size"));
  EXPECT_THAT(TextOf(CheckForm(request)), Not(HasSubstr("110101")));
}

}  // namespace
}  // namespace sluice::policy
