// A first client of a Sluice gateway in Java: pages of rows, then all of them as a file.
//
//     java FirstCall GATEWAY FOLDER        such as gw1.gov.example:8443 relief
//
// FOLDER holds key.pem and certificate.pem (sluice certs request) and the gateway's authority.pem.
// Needs Java 17, grpc-netty, grpc-protobuf and grpc-stub (Debian: libgrpc-java), and stubs of
// proto/ by protoc with --java_out and --grpc-java_out. docs/consumer.md says what each part is
// for.

import com.google.protobuf.Any;
import com.google.protobuf.ByteString;
import com.google.protobuf.InvalidProtocolBufferException;
import com.google.rpc.BadRequest;
import com.google.rpc.ErrorInfo;
import com.google.rpc.RetryInfo;
import dev.sluice.v1.*;
import io.grpc.Grpc;
import io.grpc.ManagedChannel;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.grpc.TlsChannelCredentials;
import io.grpc.protobuf.StatusProto;
import java.io.File;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.TimeUnit;
import java.util.function.BiConsumer;
import java.util.function.Function;
import java.util.stream.Collectors;

public final class FirstCall {
  /** A channel over mutual TLS: who we are is what our certificate says. Keep it; it reconnects. */
  static ManagedChannel connect(String gateway, File folder) throws IOException {
    var credentials =
        TlsChannelCredentials.newBuilder()
            .trustManager(new File(folder, "authority.pem"))
            .keyManager(new File(folder, "certificate.pem"), new File(folder, "key.pem"));
    return Grpc.newChannelBuilder(gateway, credentials.build())
        .keepAliveTime(60, TimeUnit.SECONDS) // while a call runs; not below 30 s
        .keepAliveTimeout(20, TimeUnit.SECONDS)
        .maxInboundMessageSize(2 << 20) // no message is over 1 MiB and a frame
        .disableRetry() // only what its reason calls safe: call()
        .build();
  }

  /** What an error says beside its code; reason is empty where gRPC itself failed. */
  record Refusal(String reason, boolean safe, long delayMillis, Map<String, String> metadata,
      Map<String, String> fields) {
    static Refusal of(StatusRuntimeException error) {
      var info = ErrorInfo.getDefaultInstance();
      var retry = RetryInfo.getDefaultInstance();
      var bad = BadRequest.getDefaultInstance();
      var status = StatusProto.fromThrowable(error);
      try {
        for (Any detail : status == null ? List.<Any>of() : status.getDetailsList()) {
          if (detail.is(ErrorInfo.class)) {
            info = detail.unpack(ErrorInfo.class);
          } else if (detail.is(RetryInfo.class)) {
            retry = detail.unpack(RetryInfo.class);
          } else if (detail.is(BadRequest.class)) {
            bad = detail.unpack(BadRequest.class);
          }
        }
      } catch (InvalidProtocolBufferException unreadable) {
        throw new IllegalArgumentException(unreadable);
      }
      var delay = retry.getRetryDelay();
      return new Refusal(info.getReason(), safe(info.getReason(), error.getStatus().getCode()),
          delay.getSeconds() * 1000 + delay.getNanos() / 1_000_000, info.getMetadataMap(),
          bad.getFieldViolationsList().stream().collect(Collectors.toMap(
              BadRequest.FieldViolation::getField, BadRequest.FieldViolation::getDescription)));
    }

    private static boolean safe(String reason, Status.Code code) {
      // Without a reason no answer came, and the request_id makes asking again harmless.
      if (reason.isEmpty()) {
        return code == Status.Code.UNAVAILABLE;
      }
      var known = Reason.getDescriptor().findValueByName("REASON_" + reason);
      return known != null && Retry.RETRY_SAFE
          == known.getOptions().getExtension(ReasonOuterClass.reasonInfo).getRetry();
    }
  }

  /** One access, sent again under the same request_id only where that is safe. */
  static QueryResponse call(Function<QueryRequest, QueryResponse> method, QueryRequest request,
      int attempts) throws InterruptedException {
    var access = request.toBuilder().setRequestId(UUID.randomUUID().toString()).build();
    for (int attempt = 1;; ++attempt) {
      try {
        return method.apply(access);
      } catch (StatusRuntimeException error) {
        var said = Refusal.of(error);
        // SOURCE_CHANGED ends the pages begun: they begin anew, without a token.
        if (!said.safe() || said.reason().equals("SOURCE_CHANGED") || attempt == attempts) {
          throw error;
        }
        Thread.sleep(Math.max(said.delayMillis(), 100L << attempt));
      }
    }
  }

  /** Each page with its rows; each is an access of its own, decided, recorded and counted. */
  static void pages(ExchangeGrpc.ExchangeBlockingStub exchange, QueryRequest request,
      BiConsumer<QueryResponse, RowBatch> take) throws IOException, InterruptedException {
    for (var token = "";;) {
      Function<QueryRequest, QueryResponse> query =
          access -> exchange.withDeadlineAfter(10, TimeUnit.SECONDS).query(access);
      var page = call(query, request.toBuilder().setPageToken(token).build(), 4);
      var digest = StreamFile.sha256(page.getPayload().toByteArray());
      var recorded = AuditEnvelope.parseFrom(page.getReceipt().getEnvelope()).getDigest();
      if (!ByteString.copyFrom(digest).equals(recorded)) {
        throw new IOException("the payload is not the one that was recorded");
      }
      take.accept(page, RowBatch.parseFrom(page.getPayload()));
      token = page.getNextPageToken();
      if (token.isEmpty()) {
        return;
      }
    }
  }

  private static Object valueOf(Value value) {
    return value.getAllFields().values().stream().findFirst().orElse(null);
  }

  public static void main(String[] arguments) throws Exception {
    var channel = connect(arguments[0], new File(arguments[1]));
    var exchange = ExchangeGrpc.newBlockingStub(channel);
    var county = ParameterValues.newBuilder().addValues(Value.newBuilder().setStringValue("东城区"));
    var query = QueryRequest.newBuilder()
        .setDataset("public-security/persons").setPurpose("relief").setCaseReference("R-0118")
        .setFilter("county = $county").putParameters("county", county.build());
    var read = ReadRequest.newBuilder()
        .setDataset("public-security/persons").setPurpose("relief").setCaseReference("R-0118");
    try {
      pages(exchange, query.build(), (page, batch) -> {
        System.out.println(
            "record " + page.getReceipt().getIndex() + ", grant " + page.getApplied().getGrant());
        for (Row row : batch.getRowsList()) {
          var values = row.getValuesList().stream().map(value -> String.valueOf(valueOf(value)));
          System.out.println("   " + values.collect(Collectors.joining(" ")));
        }
      });
      var closing =
          StreamFile.save(exchange.withDeadlineAfter(10, TimeUnit.MINUTES).read(read.build()),
              Path.of("persons.jsonl"));
      System.out.println("persons.jsonl: " + closing.getRows() + " rows, record "
          + closing.getReceipt().getIndex());
    } catch (StatusRuntimeException error) {
      var said = Refusal.of(error);
      System.err.println(error.getStatus().getCode() + " " + said.reason() + ": "
          + error.getStatus().getDescription() + " " + said.metadata());
      System.exit(said.safe() ? 4 : 3);
    } finally {
      channel.shutdownNow();
    }
  }
}
