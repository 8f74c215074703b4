// A stream of a Sluice gateway (Exchange.Read) into a file that can be proved at any later time:
// docs/formats/stream.md. Used by FirstCall.java.

import com.google.protobuf.ByteString;
import dev.sluice.v1.ReadResponse;
import dev.sluice.v1.Receipt;
import dev.sluice.v1.StreamClosing;
import dev.sluice.v1.StreamOpening;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayDeque;
import java.util.Base64;
import java.util.Deque;
import java.util.Iterator;
import java.util.function.Function;
import java.util.stream.Collectors;

final class StreamFile {
  private static final byte[] LEAF = {0}, NODE = {1};

  /** A receipt as `sluice receipts check` reads it: it proves the access at any later time. */
  static String keep(Receipt receipt) {
    Function<ByteString, String> text =
        bytes -> '"' + Base64.getEncoder().encodeToString(bytes.toByteArray()) + '"';
    return String.format("{\"origin\":\"%s\",\"envelope\":%s,\"index\":%d,\"first_index\":%d,"
            + "\"count\":%d,\"path\":[%s],\"signature\":%s}",
        receipt.getOrigin(), text.apply(receipt.getEnvelope()), receipt.getIndex(),
        receipt.getFirstIndex(), receipt.getCount(),
        receipt.getPathList().stream().map(text).collect(Collectors.joining(",")),
        text.apply(receipt.getSignature()));
  }

  /** The RFC 6962 root over the digests of batches, in a few hashes of memory. */
  static final class Root {
    private record Peak(long size, byte[] node) {}
    private final Deque<Peak> peaks = new ArrayDeque<>();

    void add(byte[] digest) {
      long size = 1;
      byte[] node = sha256(LEAF, digest);
      for (; !peaks.isEmpty() && peaks.peek().size() == size; size *= 2) {
        node = sha256(NODE, peaks.pop().node(), node);
      }
      peaks.push(new Peak(size, node));
    }

    byte[] digest() {
      return peaks.stream()
          .map(Peak::node)
          .reduce((right, left) -> sha256(NODE, left, right))
          .orElseGet(() -> sha256());
    }
  }

  /** Writes a stream as FILE.part, which becomes FILE once all of it came; returns its end. */
  static StreamClosing save(Iterator<ReadResponse> messages, Path file) throws IOException {
    var expected = new ArrayDeque<ByteString>();
    var root = new Root();
    StreamOpening opening = null;
    StreamClosing closing = null;
    var part = Path.of(file + ".part");
    try (OutputStream out = Files.newOutputStream(part)) {
      while (messages.hasNext()) { // throws where the stream is cut
        var message = messages.next();
        expected.addAll(message.getStep().getBatchDigestsList());
        if (message.hasOpening()) {
          opening = message.getOpening();
        } else if (message.hasClosing()) {
          closing = message.getClosing();
        } else {
          byte[] digest = sha256(message.getPayload().toByteArray());
          if (!ByteString.copyFrom(digest).equals(expected.poll())) {
            throw new IOException(
                "batch " + message.getBatch() + " is not the one that was recorded");
          }
          root.add(digest);
          message.getPayload().writeTo(out);
        }
      }
    }
    if (closing == null || !closing.getDigest().equals(ByteString.copyFrom(root.digest()))) {
      throw new IOException("the file is not what the gateway recorded");
    }
    Files.move(part, file, StandardCopyOption.REPLACE_EXISTING);
    Files.writeString(Path.of(file + ".receipt.json"),
        String.format(
            "{\"format\":\"sluice-stream-receipt/v1\",\"media_type\":\"%s\",\"opened\":%s,"
                + "\"latest\":%s,\"batch_lengths\":%s,\"missing_digests\":[]}",
            opening.getMediaType(), keep(opening.getReceipt()), keep(closing.getReceipt()),
            closing.getBatchLengthsList()));
    return closing;
  }

  static byte[] sha256(byte[]... parts) {
    try {
      var hash = MessageDigest.getInstance("SHA-256");
      for (byte[] part : parts) hash.update(part);
      return hash.digest();
    } catch (NoSuchAlgorithmException impossible) {
      throw new AssertionError(impossible);
    }
  }
}
