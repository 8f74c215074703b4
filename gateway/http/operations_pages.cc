#include "gateway/http/operations_pages.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "gateway/base/error.h"
#include "gateway/exchange/access.h"
#include "gateway/http/metrics_text.h"

namespace sluice::http {
namespace {

using exchange::ExchangeCounts;

// As the log has it: DENIED or FAILED.
const char* OutcomeOf(v1::Reason reason) {
  return exchange::KindFor(Error(reason, "")) == v1::RECORD_KIND_DENIED ? "denied" : "failed";
}

void AddExchanges(const Measures& measures, MetricsText& text) {
  text.Family("sluice_exchanges_total", "counter",
              "Exchanges that ended, by what the caller was told.");
  for (const ExchangeCounts::Mode mode : ExchangeCounts::kModes) {
    const std::string name = NameOf(mode);
    const auto count = [&](v1::Reason reason) {
      return static_cast<int64_t>(measures.exchanges->Count(mode, reason));
    };
    text.Sample({{"mode", name}, {"outcome", "released"}, {"reason", ""}},
                count(v1::REASON_UNSPECIFIED));
    for (int number = 1; number < v1::Reason_ARRAYSIZE; ++number) {
      const auto reason = static_cast<v1::Reason>(number);
      if (count(reason) == 0) continue;
      text.Sample({{"mode", name}, {"outcome", OutcomeOf(reason)}, {"reason", ReasonName(reason)}},
                  count(reason));
    }
  }
  text.Family("sluice_exchange_duration_seconds", "histogram",
              "From a call's arrival until its answer, or a stream's end, was handed over.");
  for (const ExchangeCounts::Mode mode : ExchangeCounts::kModes)
    text.Samples({{"mode", NameOf(mode)}}, measures.exchanges->Took(mode));
  text.Gauge("sluice_exchanges_running", "Exchanges that run now.", measures.running);
}

void AddLog(const Measures& measures, MetricsText& text) {
  const audit::LogMeters& log = *measures.log;
  text.Gauge("sluice_audit_log_records", "Records of the audit log that are durable.",
             measures.log_records);
  text.Counter("sluice_audit_log_appends_refused_total",
               "Records that the log did not take or could not write; what they stood for was not "
               "released.",
               static_cast<int64_t>(log.refused));
  text.Family("sluice_audit_log_sync_duration_seconds", "histogram",
              "Writing and syncing one batch of records.");
  text.Samples({}, log.syncs);
  text.Gauge("sluice_audit_log_poisoned", "1 after a write or sync failed: nothing is released.",
             measures.log_poisoned ? 1 : 0);
  text.Gauge("sluice_audit_log_head_records", "Records under the newest signed head.",
             static_cast<int64_t>(log.head_size));
  text.Time("sluice_audit_log_head_timestamp_seconds",
            "When the newest head was signed; 0 before the first of this run. One is signed only "
            "where records were added.",
            log.head_time);
  text.Gauge("sluice_audit_index_records", "Records in the search index.", measures.index_records);
  text.Gauge("sluice_audit_index_lag_records", "Records that the search index has yet to take.",
             std::max<int64_t>(0, measures.log_records - measures.index_records));
  text.Gauge("sluice_audit_log_disk_free_bytes", "Free on the disk of the audit log.",
             measures.log_disk.free_bytes);
  text.Gauge("sluice_audit_log_disk_size_bytes", "Size of the disk of the audit log.",
             measures.log_disk.size_bytes);
}

void AddSources(const Measures& measures, MetricsText& text) {
  text.Family("sluice_source_breaker_state", "gauge",
              "1 beside the state that the source's circuit breaker is in.");
  for (const v1::SourceStatus& source : measures.sources)
    for (const char* state : {"closed", "half_open", "open"})
      text.Sample({{"source", source.source()}, {"state", state}},
                  int64_t{source.breaker() == state});
  text.Family("sluice_source_calls_running", "gauge", "Calls that the source works on.");
  for (const v1::SourceStatus& source : measures.sources)
    text.Sample({{"source", source.source()}}, int64_t{source.running()});
  text.Family("sluice_source_calls_waiting", "gauge", "Calls that wait for the source.");
  for (const v1::SourceStatus& source : measures.sources)
    text.Sample({{"source", source.source()}}, int64_t{source.waiting()});
  text.Family("sluice_source_last_answer_timestamp_seconds", "gauge",
              "When the source last answered; 0 before it did.");
  for (const v1::SourceStatus& source : measures.sources)
    text.Sample({{"source", source.source()}}, source.last_answer().seconds());
  text.Gauge("sluice_datasets_drifted",
             "Datasets that their sources no longer fit, of which nothing is released.",
             measures.drifted_datasets);
}

void AddProcess(const Measures& measures, MetricsText& text) {
  text.Family("sluice_build_info", "gauge", "1, beside the version that runs.");
  text.Sample({{"version", measures.version}}, int64_t{1});
  text.Gauge("sluice_ready", "1 where the gateway may get traffic.", measures.ready ? 1 : 0);
  text.Time("sluice_start_timestamp_seconds", "When the gateway was started.", measures.started);
  text.Time("sluice_certificate_expiry_timestamp_seconds", "When the gateway's certificate ends.",
            measures.certificate_expires);
  text.Time("sluice_revocation_list_due_timestamp_seconds",
            "When the first revocation list runs out; 0 where there is none.",
            measures.list_due.value_or(0));
  text.Gauge("sluice_process_resident_memory_bytes", "Memory of the process that is resident.",
             measures.process.resident_bytes);
  text.Gauge("sluice_process_open_files", "Open files, connections among them.",
             measures.process.open_files);
  text.Gauge("sluice_process_most_open_files", "Most files that the process may have open.",
             measures.process.most_open_files);
  text.Family("sluice_process_cpu_seconds_total", "counter", "Processor time of the process.");
  text.Sample({}, measures.process.cpu_seconds);
}

void AddWatched(const Measures& measures, MetricsText& text) {
  text.Family("sluice_alarm", "gauge", "1 while the gateway raises that alarm.");
  for (const std::string& name : measures.alarm_names) {
    const auto raised = [&](const v1::Alarm& alarm) { return alarm.alarm() == name; };
    text.Sample({{"alarm", name}},
                int64_t{std::any_of(measures.alarms.begin(), measures.alarms.end(), raised)});
  }
  text.Family("sluice_alarm_since_timestamp_seconds", "gauge",
              "Since when the gateway raises that alarm.");
  for (const v1::Alarm& alarm : measures.alarms)
    text.Sample({{"alarm", alarm.alarm()}}, int64_t{alarm.since().seconds()});
  text.Gauge("sluice_releases_stopped", "1 while the gateway keeps all data back.",
             measures.releases_stopped ? 1 : 0);
  text.Family("sluice_witness_up", "gauge", "1 where the witness cosigned when it was last asked.");
  for (const v1::WitnessStatus& one : measures.witnesses)
    text.Sample({{"witness", one.witness()}}, int64_t{one.failure().empty()});
  text.Family("sluice_witness_head_records", "gauge",
              "Records under the newest head that the witness cosigned.");
  for (const v1::WitnessStatus& one : measures.witnesses)
    text.Sample({{"witness", one.witness()}}, int64_t{one.records()});
  text.Gauge("sluice_cosigned_head_records",
             "Records under the newest head that enough witnesses cosigned.",
             measures.cosigned_records);
  text.Time("sluice_cosigned_head_timestamp_seconds",
            "When enough witnesses had cosigned it; 0 where none are asked, or before the first.",
            measures.cosigned_time);
  text.Counter("sluice_scrub_passes_total", "Times that the whole log was read again.",
               measures.scrub_passes);
  text.Gauge("sluice_scrub_records", "Records that this pass has read, or the last one had.",
             measures.scrub_records);
  text.Time("sluice_scrub_timestamp_seconds", "When the last pass ended; 0 before the first.",
            measures.scrub_time);
}

// Reasons against traffic, then the alarms, which by themselves are none.
HttpResponse Readiness(const std::vector<std::string>& reasons,
                       const std::vector<v1::Alarm>& alarms) {
  HttpResponse response;
  response.status = reasons.empty() ? 200 : 503;
  response.body = reasons.empty() ? "ready\n" : absl::StrCat(absl::StrJoin(reasons, "\n"), "\n");
  for (const v1::Alarm& alarm : alarms)
    absl::StrAppend(&response.body, "alarm ", alarm.alarm(), ": ", alarm.detail(), "\n");
  return response;
}

}  // namespace

std::string MetricsPage(const Measures& measures) {
  MetricsText text;
  AddProcess(measures, text);
  AddExchanges(measures, text);
  AddLog(measures, text);
  AddSources(measures, text);
  AddWatched(measures, text);
  return text.text();
}

HttpResponse OperationsPage(const OperationsPageParts& parts, const HttpRequest& request) {
  HttpResponse response;
  if (request.path == "/healthz") {
    response.body = "alive\n";
  } else if (request.path == "/readyz") {
    return Readiness(parts.not_ready(), parts.alarms ? parts.alarms() : std::vector<v1::Alarm>());
  } else if (request.path == "/metrics") {
    response.content_type = kMetricsType;
    response.body = MetricsPage(parts.measure());
  } else {
    response.status = 404;
    response.body = "there are /healthz, /readyz and /metrics\n";
  }
  return response;
}

}  // namespace sluice::http
