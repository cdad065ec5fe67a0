package io.troth.core.coordinator;

import io.troth.core.BranchId;
import io.troth.core.EpochId;
import io.troth.core.ErrorCode;
import io.troth.core.GlobalTxId;
import io.troth.core.Proof;
import io.troth.core.Reason;
import java.util.Arrays;
import java.util.Collection;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * Writes the values of both machines as canonical bytes: fixed widths, big-endian, each nullable value after a flag.
 *
 * <p>A <i>folded</i> form leaves out what no later step depends on: the words of reasons, and how far counters have run
 * that only ever are compared with each other. Two states that go on alike then have the same bytes, and a machine
 * explored for ever has finitely many states.
 */
public final class StateWriter {

    private final boolean folded;
    private byte[] bytes = new byte[256];
    private int length;

    public StateWriter(boolean folded) {
        this.folded = folded;
    }

    public boolean isFolded() {
        return folded;
    }

    public byte[] toByteArray() {
        return Arrays.copyOf(bytes, length);
    }

    public void octet(int value) {
        if (length == bytes.length) {
            bytes = Arrays.copyOf(bytes, 2 * length);
        }
        bytes[length++] = (byte) value;
    }

    public void bool(boolean value) {
        octet(value ? 1 : 0);
    }

    public void int32(int value) {
        for (int shift = 24; shift >= 0; shift -= 8) {
            octet(value >>> shift);
        }
    }

    public void int64(long value) {
        for (int shift = 56; shift >= 0; shift -= 8) {
            octet((int) (value >>> shift));
        }
    }

    public void text(String value) {
        int32(value.length());
        for (int i = 0; i < value.length(); i++) {
            octet(value.charAt(i) >>> 8);
            octet(value.charAt(i));
        }
    }

    @SuppressWarnings("EnumOrdinal") // The bytes are not kept: whoever reads them has the same constants.
    public void constant(Enum<?> value) {
        octet(value.ordinal());
    }

    public void epoch(EpochId value) {
        int64(value.number());
        int64(value.nonce());
    }

    public void tx(GlobalTxId value) {
        int32(value.shard());
        epoch(value.epoch());
        int64(value.session());
        int64(value.sequence());
    }

    public void branch(BranchId value) {
        int64(value.instance());
        int64(value.counter());
    }

    public void stream(StreamId value) {
        int64(value.value());
    }

    public void request(RequestId value) {
        stream(value.stream());
        int64(value.correlation());
    }

    public void reason(Reason value) {
        // Only whether it tells of a heuristic is ever looked at again.
        boolean says = !folded || value.code() == ErrorCode.HEURISTIC_MIXED;
        // By name: a constant that is added to the catalogue does not shift the others.
        text(says ? value.code().name() : ErrorCode.INTERNAL.name());
        text(folded ? "" : value.detail());
    }

    public void proof(Proof value) {
        byte[] content = value.toByteArray();
        octet(content.length);
        for (byte each : content) {
            octet(each);
        }
    }

    public <T> void optional(@Nullable T value, Consumer<T> writer) {
        bool(value != null);
        if (value != null) {
            writer.accept(value);
        }
    }

    /** In the order of the collection, which has to be canonical. */
    public <T> void all(Collection<T> values, Consumer<T> writer) {
        int32(values.size());
        values.forEach(writer);
    }
}
