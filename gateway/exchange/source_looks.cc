#include "gateway/exchange/source_looks.h"

#include <algorithm>
#include <memory>
#include <utility>

#include "absl/strings/str_cat.h"
#include "adapters/check/check.h"
#include "gateway/base/error.h"
#include "gateway/identity/definitions.h"

namespace sluice::exchange {
namespace {

constexpr Micros kAskedProbeLimit = 10 * kSecond;
constexpr int64_t kMostRows = 100'000;

// What came of it as those who keep the source may read it: with the notes for the operator.
absl::Status WithNote(const absl::Status& status) {
  const std::string note = OperatorNoteOf(status);
  if (note.empty()) return status;
  absl::Status told(status.code(), absl::StrCat(status.message(), " ", note));
  status.ForEachPayload(
      [&told](absl::string_view url, const absl::Cord& payload) { told.SetPayload(url, payload); });
  RemoveOperatorNote(told);
  return told;
}

// "There is no such table" has a status of its own, without a reason.
absl::Status ToldOf(const std::string& source, const std::string& table,
                    const absl::Status& status) {
  if (absl::IsNotFound(status) && ReasonOf(status) == v1::REASON_UNSPECIFIED)
    return Error(v1::REASON_NOT_FOUND,
                 absl::StrCat("source ", source, " has no table \"", table, "\"."),
                 {{"source", source}});
  return WithNote(status);
}

v1::FindingOutcome ToProto(adapters::check::Outcome outcome) {
  switch (outcome) {
    case adapters::check::Outcome::kHolds:
      return v1::FINDING_OUTCOME_HOLDS;
    case adapters::check::Outcome::kFails:
      return v1::FINDING_OUTCOME_FAILS;
    case adapters::check::Outcome::kNotTried:
      return v1::FINDING_OUTCOME_NOT_TRIED;
  }
  return v1::FINDING_OUTCOME_UNSPECIFIED;
}

absl::Status Wrong(std::string_view field, std::string_view mistake) {
  absl::Status status = Error(v1::REASON_REQUEST_INVALID,
                              absl::StrCat(std::string(field), ": ", std::string(mistake)));
  AddFieldViolation(status, field, mistake);
  return status;
}

}  // namespace

absl::StatusOr<SourceLooks::Chosen> SourceLooks::Choose(const Call& call,
                                                        const v1::SourceChoice& choice) const {
  const identity::Principal& who = *call.principal;
  const bool is_operator = who.Has(v1::ROLE_OPERATOR);
  if (!is_operator && !who.Has(v1::ROLE_OWNER))
    return Error(v1::REASON_ROLE_REQUIRED, "sources are looked at by operators and owners.",
                 {{"role", "operator"}});
  Chosen chosen;
  if (choice.has_definition()) {
    if (!is_operator)
      return Error(v1::REASON_ROLE_REQUIRED, "only operators try a source's definition.",
                   {{"role", "operator"}});
    chosen.definition = choice.definition();
    identity::Mistakes mistakes;
    if (const absl::Status status = identity::PrepareSource(chosen.definition); !status.ok())
      mistakes.AddAll("source", status);
    SLUICE_RETURN_IF_ERROR(mistakes.ToStatus());
    SLUICE_RETURN_IF_ERROR(parts_.check(chosen.definition));
    return chosen;
  }
  if (choice.id().empty()) return Wrong("source", "an id or a definition is needed");
  chosen.at_work = parts_.sources.Find(choice.id());
  if (chosen.at_work == nullptr)
    return Error(v1::REASON_NOT_FOUND, absl::StrCat("there is no source ", choice.id(), "."),
                 {{"source", choice.id()}});
  chosen.definition = chosen.at_work->definition();
  if (!is_operator && chosen.definition.owner_agency() != who.agency)
    return Error(v1::REASON_SOURCE_NOT_OWNED,
                 absl::StrCat("source ", choice.id(), " belongs to another agency."),
                 {{"source", choice.id()}});
  return chosen;
}

adapters::CallContext SourceLooks::ContextFor(const Call& call) const {
  adapters::CallContext context;
  context.clock = &parts_.clock;
  context.deadline = call.deadline;
  context.stop = std::make_shared<adapters::StopToken>();
  return context;
}

void SourceLooks::Run(const Chosen& chosen, SourceAtWork::Task look,
                      const std::function<void(absl::Status)>& refused) const {
  if (chosen.at_work != nullptr) {
    const absl::Status taken = chosen.at_work->Submit(std::move(look), SourceAtWork::Part::kStream);
    if (!taken.ok()) refused(taken);
    return;
  }
  const auto adapter = parts_.open(chosen.definition);
  if (!adapter.ok()) {
    look(adapter.status()).IgnoreError();
  } else {
    look(adapter->get()).IgnoreError();
  }
}

void SourceLooks::ProbeSource(const Call& call, v1::ProbeSourceRequest request,
                              Done<v1::ProbeSourceResponse> done) {
  const auto chosen = Choose(call, request.source());
  if (!chosen.ok()) return done(chosen.status());
  adapters::CallContext context = ContextFor(call);
  const Micros limit = parts_.clock.Monotonic() + kAskedProbeLimit;
  context.deadline = context.deadline == 0 ? limit : std::min(context.deadline, limit);
  v1::ProbeSourceResponse response;
  response.set_source(chosen->definition.id());
  response.set_kind(chosen->definition.kind());
  const auto tell = [done, response, this, begin = parts_.clock.Monotonic()](
                        const absl::Status& status, std::vector<std::string> notes) {
    v1::ProbeSourceResponse answer = response;
    for (std::string& note : notes) answer.add_notes(std::move(note));
    answer.set_took_us(parts_.clock.Monotonic() - begin);
    answer.set_reachable(status.ok());
    if (!status.ok()) {
      const v1::Reason reason = ReasonOf(status);
      answer.set_reason(
          ReasonName(reason == v1::REASON_UNSPECIFIED ? v1::REASON_INTERNAL : reason));
      answer.set_failure(std::string(status.message()));
      answer.set_note(OperatorNoteOf(status));
    }
    done(std::move(answer));
  };
  Run(
      *chosen,
      [tell, context](absl::StatusOr<adapters::Adapter*> adapter) {
        const absl::Status status = adapter.ok() ? (*adapter)->Probe(context) : adapter.status();
        tell(status, adapter.ok() ? (*adapter)->Notes() : std::vector<std::string>());
        return status;
      },
      [tell](const absl::Status& status) { tell(status, {}); });
}

void SourceLooks::DescribeSource(const Call& call, v1::DescribeSourceRequest request,
                                 Done<DescribedSource> done) {
  const auto chosen = Choose(call, request.source());
  if (!chosen.ok()) return done(chosen.status());
  DescribedSource described;
  described.definition = chosen->definition;
  adapters::CallContext context = ContextFor(call);
  context.proposes = true;
  Run(
      *chosen,
      [done, described = std::move(described), table = request.table(),
       context](absl::StatusOr<adapters::Adapter*> adapter) mutable -> absl::Status {
        auto tables =
            adapter.ok()
                ? (*adapter)->Describe(table, context)
                : absl::StatusOr<std::vector<adapters::TableDescription>>(adapter.status());
        if (!tables.ok()) {
          done(ToldOf(described.definition.id(), table, tables.status()));
          return absl::IsNotFound(tables.status()) ? absl::OkStatus() : tables.status();
        }
        described.tables = *std::move(tables);
        done(std::move(described));
        return absl::OkStatus();
      },
      [done](const absl::Status& status) { done(WithNote(status)); });
}

void SourceLooks::CheckSource(const Call& call, v1::CheckSourceRequest request,
                              Done<v1::CheckSourceResponse> done) {
  if (request.table().empty()) return done(Wrong("table", "needed"));
  if (request.rows() < 0 || request.rows() > kMostRows) return done(Wrong("rows", "1 to 100,000"));
  const auto chosen = Choose(call, request.source());
  if (!chosen.ok()) return done(chosen.status());
  const v1::Source& source = chosen->definition;
  audit::ChangeOutcome act;
  act.resource_kind = "source";
  act.resource_name = source.id();
  act.action = "check";
  act.owner_agency = source.owner_agency();
  act.reason = absl::StrCat("rows of table ", request.table(), " are read, and not shown");
  if (const absl::Status status = parts_.record(call, act); !status.ok()) return done(status);
  v1::CheckSourceResponse response;
  response.set_source(source.id());
  response.set_table(request.table());
  adapters::check::Options options;
  if (request.rows() > 0) options.rows = request.rows();
  Run(
      *chosen,
      [done, response, options, table = request.table(), context = ContextFor(call),
       key = std::vector<std::string>(request.key().begin(), request.key().end())](
          absl::StatusOr<adapters::Adapter*> adapter) mutable -> absl::Status {
        const auto report =
            adapter.ok() ? adapters::check::CheckTable(**adapter, table, key, context, options)
                         : absl::StatusOr<adapters::check::Report>(adapter.status());
        if (!report.ok()) {
          done(ToldOf(response.source(), table, report.status()));
          return absl::IsNotFound(report.status()) ? absl::OkStatus() : report.status();
        }
        response.set_rows(report->rows);
        for (const adapters::check::Finding& finding : report->findings) {
          v1::SourceFinding& one = *response.add_findings();
          one.set_check(finding.check);
          one.set_outcome(ToProto(finding.outcome));
          one.set_words(finding.words);
        }
        done(std::move(response));
        return absl::OkStatus();
      },
      [done](const absl::Status& status) { done(WithNote(status)); });
}

}  // namespace sluice::exchange
