// The Java client of clients/java against a gateway: each call of Exchange and of Catalogue.

import com.google.protobuf.Any;
import com.google.protobuf.ByteString;
import com.google.protobuf.Duration;
import com.google.protobuf.Timestamp;
import com.google.rpc.ErrorInfo;
import com.google.rpc.RetryInfo;
import dev.sluice.v1.*;
import io.grpc.Context;
import io.grpc.Grpc;
import io.grpc.ManagedChannel;
import io.grpc.Status.Code;
import io.grpc.StatusRuntimeException;
import io.grpc.TlsChannelCredentials;
import io.grpc.protobuf.StatusProto;
import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.*;
import java.util.concurrent.TimeUnit;
import java.util.function.Function;
import java.util.stream.Collectors;
import java.util.stream.LongStream;

public final class ClientTest {
  private interface Body {
    void run() throws Exception;
  }

  private static final String GATEWAY = System.getenv("SLUICE_GATEWAY");
  private static final File RELIEF = new File(System.getenv("SLUICE_RELIEF"));
  private static final File OWNER = new File(System.getenv("SLUICE_OWNER"));
  private static final File OFFICE = new File(System.getenv("SLUICE_OFFICE"));
  private static final File OTHER = new File(System.getenv("SLUICE_OTHER"));

  private static final QueryRequest PERSONS = QueryRequest.newBuilder()
                                                  .setDataset("public-security/persons")
                                                  .setPurpose("relief")
                                                  .setCaseReference("R-0118")
                                                  .build();
  private static final QueryRequest SLOW =
      QueryRequest.newBuilder().setDataset("public-security/slow").setPurpose("relief").build();
  private static final ReadRequest REGISTER =
      ReadRequest.newBuilder().setDataset("public-security/register").setPurpose("relief").build();

  private final ManagedChannel relief = FirstCall.connect(GATEWAY, RELIEF);
  private final ManagedChannel owner = FirstCall.connect(GATEWAY, OWNER);
  private final ManagedChannel office = FirstCall.connect(GATEWAY, OFFICE);
  private int failed;

  private ClientTest() throws IOException {}

  private ExchangeGrpc.ExchangeBlockingStub exchange(ManagedChannel as) {
    return ExchangeGrpc.newBlockingStub(as).withDeadlineAfter(60, TimeUnit.SECONDS);
  }

  private CatalogueGrpc.CatalogueBlockingStub catalogue(ManagedChannel as) {
    return CatalogueGrpc.newBlockingStub(as).withDeadlineAfter(60, TimeUnit.SECONDS);
  }

  private void test(String name, Body body) {
    try {
      body.run();
      System.out.println("ok      " + name);
    } catch (Throwable failure) {
      System.out.println("FAILED  " + name);
      failure.printStackTrace(System.out);
      ++failed;
    }
  }

  private static void expect(Object expected, Object actual) {
    if (!Objects.equals(expected, actual)) {
      throw new AssertionError("expected " + expected + ", got " + actual);
    }
  }

  private static FirstCall.Refusal refused(Code code, Body body) throws Exception {
    try {
      body.run();
    } catch (StatusRuntimeException error) {
      expect(code, error.getStatus().getCode());
      return FirstCall.Refusal.of(error);
    }
    throw new AssertionError("it was answered");
  }

  private static Path out(String name) {
    return Path.of(System.getenv("SLUICE_OUT"), name);
  }

  private static AuditEnvelope envelope(Receipt receipt) throws IOException {
    return AuditEnvelope.parseFrom(receipt.getEnvelope());
  }

  private void queryPermitted() throws Exception {
    var pages = new ArrayList<QueryResponse>();
    var numbers = new TreeSet<String>();
    FirstCall.pages(ExchangeGrpc.newBlockingStub(relief),
        PERSONS.toBuilder()
            .setFilter("county = $county")
            .putParameters("county",
                ParameterValues.newBuilder()
                    .addValues(Value.newBuilder().setStringValue("东城区"))
                    .build())
            .build(),
        (page, batch) -> {
          pages.add(page);
          expect(List.of("id_number", "name", "birth_date", "county"),
              batch.getColumnsList().stream().map(Column::getName).toList());
          batch.getRowsList().forEach(row -> numbers.add(row.getValues(0).getStringValue()));
        });
    expect(1, pages.size());
    expect(Set.of("990***********3019", "990***********3047", "990***********3075",
               "990***********3101"),
        numbers);
    expect("relief", envelope(pages.get(0).getReceipt()).getPurpose());
    Files.write(out("page.rows"), pages.get(0).getPayload().toByteArray());
    Files.writeString(out("page.rows.receipt.json"), StreamFile.keep(pages.get(0).getReceipt()));
  }

  private void queryInPages() throws Exception {
    var pages = new ArrayList<QueryResponse>();
    var numbers = new ArrayList<Long>();
    FirstCall.pages(ExchangeGrpc.newBlockingStub(relief),
        QueryRequest.newBuilder()
            .setDataset("public-security/register")
            .setPurpose("relief")
            .setFilter("number < 1000")
            .setPageSize(400)
            .build(),
        (page, batch) -> {
          pages.add(page);
          batch.getRowsList().forEach(row -> numbers.add(row.getValues(0).getInt64Value()));
        });
    expect(List.of(400L, 400L, 200L), pages.stream().map(QueryResponse::getRows).toList());
    expect(LongStream.range(0, 1000).boxed().toList(), numbers);
    expect(
        pages.get(0).getReceipt().getIndex(), envelope(pages.get(2).getReceipt()).getFirstPage());
  }

  private void queryDenied() throws Exception {
    var said = refused(Code.PERMISSION_DENIED,
        () -> exchange(relief).query(PERSONS.toBuilder().setPurpose("census").build()));
    expect("PURPOSE_NOT_GRANTED", said.reason());
    expect("public-security/persons", said.metadata().get("dataset"));
    expect(true, Long.parseLong(said.metadata().get("index")) > 0);
    expect(false, said.safe());
  }

  private void queryWithABadFilter() throws Exception {
    var said = refused(Code.INVALID_ARGUMENT,
        () -> exchange(relief).query(PERSONS.toBuilder().setFilter("county == \"x\"").build()));
    expect("FILTER_INVALID", said.reason());
    expect(Set.of("filter:8"), said.fields().keySet());
  }

  private void queryPastItsDeadline() throws Exception {
    refused(Code.DEADLINE_EXCEEDED,
        ()
            -> ExchangeGrpc.newBlockingStub(relief)
                   .withDeadlineAfter(300, TimeUnit.MILLISECONDS)
                   .query(SLOW));
  }

  private void wrongCertificates() throws Exception {
    var ours = new File(RELIEF, "authority.pem");
    var theirs = new File(OTHER, "tls/authority.pem");
    for (var credentials :
        List.of(credentials(theirs).keyManager(
                    new File(RELIEF, "certificate.pem"), new File(RELIEF, "key.pem")),
            credentials(ours).keyManager(new File(OTHER, "profiles/relief/certificate.pem"),
                new File(OTHER, "profiles/relief/key.pem")),
            credentials(ours))) {
      var channel = Grpc.newChannelBuilder(GATEWAY, credentials.build()).build();
      expect("", refused(Code.UNAVAILABLE, () -> exchange(channel).query(PERSONS)).reason());
      channel.shutdownNow();
    }
  }

  private static TlsChannelCredentials.Builder credentials(File authority) throws IOException {
    return TlsChannelCredentials.newBuilder().trustManager(authority);
  }

  private void readWhole() throws Exception {
    var closing = StreamFile.save(exchange(relief).read(REGISTER), out("register.jsonl"));
    expect(System.getenv("SLUICE_ROWS"), String.valueOf(closing.getRows()));
    expect(closing.getPayloadBytes(), Files.size(out("register.jsonl")));
    expect(closing.getDigest(), envelope(closing.getReceipt()).getDigest());
  }

  // What becomes of a stream whose messages go through this.
  private void save(Function<ReadResponse, ReadResponse> through, ReadRequest request, String name)
      throws IOException {
    var stream = exchange(relief).read(request);
    StreamFile.save(new Iterator<>() {
      public boolean hasNext() {
        return stream.hasNext();
      }
      public ReadResponse next() {
        return through.apply(stream.next());
      }
    }, out(name));
  }

  private void readOfAlteredBytes() throws Exception {
    var said = "";
    try {
      save(message
          -> message.toBuilder()
                 .setPayload(ByteString.copyFromUtf8(
                     message.getPayload().toStringUtf8().replace("1950", "1951")))
                 .build(),
          ReadRequest.newBuilder()
              .setDataset("public-security/persons")
              .setPurpose("relief")
              .setCaseReference("R-0118")
              .build(),
          "altered.jsonl");
    } catch (IOException error) {
      said = error.getMessage();
    }
    expect("batch 0 is not the one that was recorded", said);
    expect(false, Files.exists(out("altered.jsonl")));
  }

  private void readCancelledMidway() throws Exception {
    var context = Context.current().withCancellation();
    refused(Code.CANCELLED, () -> context.call(() -> {
      save(message -> {
        if (message.getBatch() == 5)
          context.cancel(null);
        return message;
      }, REGISTER, "cancelled.jsonl");
      return null;
    }));
    expect(false, Files.exists(out("cancelled.jsonl")));
    exchange(relief).query(PERSONS);
  }

  private void rootsOfThePublishedExample() throws Exception {
    var hashes = Files.readAllLines(Path.of(System.getenv("SLUICE_STREAM_PAGE")))
                     .stream()
                     .filter(line -> line.matches("[0-9a-f]{64}"))
                     .toList();
    expect(7, hashes.size());
    var hex = HexFormat.of();
    var root = new StreamFile.Root();
    expect(hashes.get(3), hex.formatHex(root.digest()));
    for (int at = 0; at < 3; ++at) {
      root.add(hex.parseHex(hashes.get(at)));
      expect(hashes.get(4 + at), hex.formatHex(root.digest()));
    }
  }

  private void onlyWhatIsSafeIsSentAgain() throws Exception {
    for (var reason :
        Map.of("AUDIT_UNAVAILABLE", 2, "PURPOSE_NOT_GRANTED", 1, "QUOTA_EXCEEDED", 1).entrySet()) {
      var sent = new ArrayList<String>();
      var status =
          com.google.rpc.Status.newBuilder()
              .setCode(Code.UNAVAILABLE.value())
              .addDetails(Any.pack(
                  ErrorInfo.newBuilder().setReason(reason.getKey()).setDomain("sluice").build()))
              .addDetails(Any.pack(RetryInfo.newBuilder()
                                       .setRetryDelay(Duration.newBuilder().setNanos(250_000_000))
                                       .build()));
      var said = refused(Code.UNAVAILABLE, () -> FirstCall.call(request -> {
        sent.add(request.getRequestId());
        throw StatusProto.toStatusRuntimeException(status.build());
      }, PERSONS, 2));
      expect(250L, said.delayMillis());
      expect(reason.getValue(), sent.size());
      expect(1, Set.copyOf(sent).size());
    }
  }

  private void check() throws Exception {
    var request = CheckRequest.newBuilder()
                      .setDataset("public-security/persons")
                      .setPurpose("relief")
                      .setCaseReference("R-0118")
                      .build();
    var answer = exchange(relief).check(request);
    expect(false, answer.getApplied().getGrant().isEmpty());
    expect(RecordKind.RECORD_KIND_CHECKED, envelope(answer.getReceipt()).getKind());
    expect("PURPOSE_NOT_GRANTED",
        refused(Code.PERMISSION_DENIED,
            () -> exchange(relief).check(request.toBuilder().setPurpose("census").build()))
            .reason());
  }

  private void preview() throws Exception {
    var wanted =
        AccessRequest.newBuilder()
            .setDataset("public-security/persons")
            .addPurposes("relief")
            .addFields("name")
            .addFields("county")
            .addModes(Mode.MODE_QUERY)
            .setBasis(LegalBasis.newBuilder().setLaw("社会救助暂行办法").setArticle("第五十八条"))
            .setExpires(Timestamp.newBuilder().setSeconds(4_070_908_800L))
            .setJustification("Applications of the county");
    var asked = SharingGrpc.newBlockingStub(office).submitAccessRequest(
        SubmitAccessRequestRequest.newBuilder().setRequest(wanted).build());
    var answer = exchange(owner).preview(PreviewRequest.newBuilder()
                                             .setAccessRequest(asked.getRequest().getId())
                                             .setLimit(2)
                                             .build());
    expect(2L, answer.getRows());
    expect(RecordKind.RECORD_KIND_PREVIEWED, envelope(answer.getReceipt()).getKind());
  }

  private void listDatasets() throws Exception {
    var listed = catalogue(relief).listDatasets(
        ListDatasetsRequest.newBuilder().setAgency("public-security").setPageSize(2).build());
    expect(List.of("public-security/persons", "public-security/register"),
        listed.getDatasetsList().stream().map(Dataset::getName).toList());
    expect(false, listed.getNextPageToken().isEmpty());
  }

  private static GetDatasetRequest named(String name) {
    return GetDatasetRequest.newBuilder().setName("public-security/" + name).build();
  }

  private void getDataset() throws Exception {
    var seen = catalogue(relief).getDataset(named("persons")).getDataset();
    expect("CN-RID", seen.getFields(0).getSubject());
    expect("", seen.getSource()); // the owner's matter
    expect("residents", catalogue(owner).getDataset(named("persons")).getDataset().getSource());
    expect("DATASET_UNKNOWN",
        refused(Code.NOT_FOUND, () -> catalogue(relief).getDataset(named("nothing"))).reason());
  }

  private void applyDataset() throws Exception {
    var dataset = catalogue(owner).getDataset(named("slow")).getDataset();
    var request =
        ApplyDatasetRequest.newBuilder()
            .setDataset(dataset.toBuilder().setTitle(Text.newBuilder().setEn("Slow, from Java")))
            .build();
    var applied = catalogue(owner).applyDataset(request);
    expect(dataset.getRevision() + 1, applied.getDataset().getRevision());
    expect(true, applied.getDifferencesList().stream().anyMatch(line -> line.contains("title")));
    expect("ETAG_MISMATCH",
        refused(Code.ABORTED, () -> catalogue(owner).applyDataset(request)).reason());
  }

  private Dataset change(DatasetState state) {
    return catalogue(owner)
        .setDatasetState(SetDatasetStateRequest.newBuilder()
                             .setName("public-security/slow")
                             .setState(state)
                             .setReason("A test")
                             .build())
        .getDataset();
  }

  private void setDatasetState() throws Exception {
    expect("A test", change(DatasetState.DATASET_STATE_SUSPENDED).getStateReason());
    expect("DATASET_SUSPENDED",
        refused(Code.FAILED_PRECONDITION, () -> exchange(relief).query(SLOW)).reason());
    change(DatasetState.DATASET_STATE_OFFERED);
  }

  public static void main(String[] arguments) throws Exception {
    var all = new ClientTest();
    all.test("a query that is permitted", all::queryPermitted);
    all.test("a query in pages", all::queryInPages);
    all.test("a query that is denied", all::queryDenied);
    all.test("a query with a bad filter", all::queryWithABadFilter);
    all.test("a query past its deadline", all::queryPastItsDeadline);
    all.test("wrong certificates", all::wrongCertificates);
    all.test("a whole stream", all::readWhole);
    all.test("a stream of altered bytes", all::readOfAlteredBytes);
    all.test("a stream cancelled midway", all::readCancelledMidway);
    all.test("the roots of the published example", all::rootsOfThePublishedExample);
    all.test("only what is safe is sent again", all::onlyWhatIsSafeIsSentAgain);
    all.test("a check", all::check);
    all.test("a preview", all::preview);
    all.test("datasets listed", all::listDatasets);
    all.test("a dataset shown", all::getDataset);
    all.test("a dataset changed", all::applyDataset);
    all.test("a dataset suspended and resumed", all::setDatasetState);
    all.relief.shutdownNow();
    all.owner.shutdownNow();
    all.office.shutdownNow();
    System.exit(all.failed == 0 ? 0 : 1);
  }
}
