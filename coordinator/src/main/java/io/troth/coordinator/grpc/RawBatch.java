package io.troth.coordinator.grpc;

import com.google.protobuf.CodedInputStream;
import com.google.protobuf.InvalidProtocolBufferException;
import com.google.protobuf.Parser;
import com.google.protobuf.WireFormat;
import io.grpc.KnownLength;
import io.grpc.MethodDescriptor;
import io.troth.core.ErrorCode;
import io.troth.core.Reason;
import io.troth.core.TrothException;
import java.io.IOException;
import java.io.InputStream;
import java.util.Arrays;

/**
 * A batch as it came, cut into entries and not parsed: the entries are counted and measured before any of them becomes
 * an object, and then parsed one at a time. Otherwise 4 MiB on the wire could become some 100 MiB on the heap.
 */
final class RawBatch {

    private static final int ENTRIES_TAG = WireFormat.FieldType.MESSAGE.getWireType() | (1 << 3);

    private final byte[] bytes;
    /** Offset and length of each entry. */
    private final int[] bounds;

    private final int size;

    private RawBatch(byte[] bytes, int[] bounds, int size) {
        this.bytes = bytes;
        this.bounds = bounds;
        this.size = size;
    }

    /**
     * Finds the entries: field 1 of both kinds of batch. Other fields are a newer peer's and are skipped.
     *
     * @throws TrothException INVALID_ARGUMENT when the bytes are not a message, LIMIT_EXCEEDED when there are too many
     *     entries or one is too large
     */
    private static RawBatch cut(byte[] bytes, WireLimits limits) {
        int[] bounds = new int[16];
        int size = 0;
        CodedInputStream in = CodedInputStream.newInstance(bytes);
        try {
            for (int tag = in.readTag(); tag != 0; tag = in.readTag()) {
                if (tag != ENTRIES_TAG) {
                    in.skipField(tag);
                    continue;
                }
                int length = in.readRawVarint32();
                if (length > limits.entryBytesMax()) {
                    throw limit("an entry has " + length + " bytes, at most " + limits.entryBytesMax());
                }
                if (size == limits.entriesPerBatchMax()) {
                    throw limit("a batch has more than " + size + " entries");
                }
                if (2 * size == bounds.length) {
                    bounds = Arrays.copyOf(bounds, 2 * bounds.length);
                }
                bounds[2 * size] = in.getTotalBytesRead();
                bounds[2 * size + 1] = length;
                size++;
                in.skipRawBytes(length);
            }
        } catch (IOException e) {
            throw new TrothException(new Reason(ErrorCode.INVALID_ARGUMENT, "not a batch: " + e.getMessage()), e);
        }
        return new RawBatch(bytes, bounds, size);
    }

    private static TrothException limit(String detail) {
        return new TrothException(new Reason(ErrorCode.LIMIT_EXCEEDED, detail));
    }

    int size() {
        return size;
    }

    int bytes() {
        return bytes.length;
    }

    /** @throws TrothException INVALID_ARGUMENT when the entry is not a message of this type */
    <T> T entry(int index, Parser<T> parser) {
        try {
            return parser.parseFrom(bytes, bounds[2 * index], bounds[2 * index + 1]);
        } catch (InvalidProtocolBufferException e) {
            throw new TrothException(
                    new Reason(ErrorCode.INVALID_ARGUMENT, "entry " + index + " cannot be parsed: " + e.getMessage()),
                    e);
        }
    }

    /** Reads at most so many bytes as a batch may have, and nothing of what they mean. */
    static MethodDescriptor.Marshaller<Unread> marshaller(WireLimits limits) {
        return new MethodDescriptor.Marshaller<>() {
            @Override
            public InputStream stream(Unread value) {
                throw new UnsupportedOperationException("a server sends no requests");
            }

            @Override
            public Unread parse(InputStream stream) {
                try {
                    int bytesMax = limits.batchBytesMax() + 1;
                    // With the length known no larger buffer is filled first and copied from.
                    int length = stream instanceof KnownLength ? Math.min(stream.available(), bytesMax) : bytesMax;
                    byte[] bytes = stream.readNBytes(length);
                    if (bytes.length > limits.batchBytesMax()) {
                        return () -> {
                            throw limit("a batch has more than " + limits.batchBytesMax() + " bytes");
                        };
                    }
                    return () -> cut(bytes, limits);
                } catch (IOException e) {
                    throw new IllegalStateException("cannot read a message that has arrived", e);
                }
            }
        };
    }

    /** A batch whose bytes have not been looked at: what is wrong with them is the service's to answer. */
    @FunctionalInterface
    interface Unread {
        /** @throws TrothException INVALID_ARGUMENT or LIMIT_EXCEEDED: the stream must be cut */
        RawBatch cut();
    }
}
