package io.troth.client.grpc;

import io.grpc.Metadata;
import io.troth.client.context.OutgoingCall;
import io.troth.core.BranchList;
import io.troth.core.Reason;
import io.troth.core.TransactionContext;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** The header and the trailers of a call under a transaction. */
final class TrothMetadata {

    static final Metadata.Key<String> CONTEXT =
            Metadata.Key.of(TransactionContext.HEADER, Metadata.ASCII_STRING_MARSHALLER);

    static final Metadata.Key<String> BRANCHES = Metadata.Key.of(BranchList.TRAILER, Metadata.ASCII_STRING_MARSHALLER);

    /** The stable code of a refusal, or of what makes a call worth another transaction, beside the status. */
    static final Metadata.Key<String> REASON =
            Metadata.Key.of(OutgoingCall.REASON_HEADER, Metadata.ASCII_STRING_MARSHALLER);

    /** The database's own SQLState, beside the reason. */
    static final Metadata.Key<String> SQL_STATE = Metadata.Key.of("troth-sqlstate", Metadata.ASCII_STRING_MARSHALLER);

    /** Where the leader is, as {@code host:port}, beside the reason NOT_LEADER. */
    static final Metadata.Key<String> LEADER = Metadata.Key.of("troth-leader", Metadata.ASCII_STRING_MARSHALLER);

    private TrothMetadata() {}

    /** The list of a reply; null when there is none, or not exactly one that can be read. */
    static @Nullable BranchList branches(Metadata trailers) {
        List<String> values = all(trailers, BRANCHES);
        if (values.size() != 1) {
            return null;
        }
        try {
            return BranchList.parse(values.get(0));
        } catch (IllegalArgumentException | ArithmeticException e) {
            return null;
        }
    }

    static List<String> all(Metadata metadata, Metadata.Key<String> key) {
        List<String> values = new ArrayList<>();
        Iterable<String> found = metadata.getAll(key);
        if (found != null) {
            found.forEach(values::add);
        }
        return values;
    }

    static void put(Metadata trailers, BranchList list) {
        trailers.discardAll(BRANCHES);
        String text = list.encode();
        // One that cannot be read back would be a missing one: say at least that T must not commit.
        trailers.put(
                BRANCHES, text.length() <= BranchList.LENGTH_MAX ? text : new BranchList(true, List.of()).encode());
    }

    static void put(Metadata trailers, Reason reason) {
        trailers.discardAll(REASON);
        trailers.put(REASON, reason.code().name());
    }
}
