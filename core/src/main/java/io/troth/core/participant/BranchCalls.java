package io.troth.core.participant;

import io.troth.core.BranchId;
import io.troth.core.GlobalTxId;
import io.troth.core.SessionKey;
import io.troth.core.coordinator.StateReader;
import io.troth.core.coordinator.StateWriter;
import java.util.Map;
import java.util.TreeMap;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/** One T at this agent: the calls it has executed, and the branches that have not finished (protocol 5.4). */
final class BranchCalls {

    private final GlobalTxId tx;
    private final SessionKey key;

    /** Call number to the scope that executes it. */
    private final Map<Long, Long> scopeOfCall = new TreeMap<>();

    /** The branch that new calls join; it may be dead. */
    private final Map<String, BranchId> current = new TreeMap<>();

    private final TreeSet<BranchId> live = new TreeSet<>();

    /** Dead ones included. */
    private int branches;

    /** Somebody has asked to commit or to roll back: no call may join any more. */
    private boolean closed;

    BranchCalls(GlobalTxId tx, SessionKey key) {
        this.tx = tx;
        this.key = key;
    }

    GlobalTxId tx() {
        return tx;
    }

    SessionKey key() {
        return key;
    }

    boolean hasKey(SessionKey other) {
        return key.equals(other);
    }

    /** The scope that executes this call, null when the call is new. */
    @Nullable
    Long scopeOf(long call) {
        return scopeOfCall.get(call);
    }

    void executes(long call, long scopeId) {
        scopeOfCall.put(call, scopeId);
    }

    int calls() {
        return scopeOfCall.size();
    }

    int branches() {
        return branches;
    }

    @Nullable
    BranchId current(String resource) {
        return current.get(resource);
    }

    void add(String resource, BranchId branch) {
        current.put(resource, branch);
        live.add(branch);
        branches++;
    }

    void finished(BranchId branch) {
        live.remove(branch);
    }

    /** A copy, since branches may finish while it is walked. */
    BranchId[] live() {
        return live.toArray(new BranchId[0]);
    }

    boolean hasLive() {
        return !live.isEmpty();
    }

    boolean isClosed() {
        return closed;
    }

    void close() {
        closed = true;
    }

    void write(StateWriter out) {
        out.tx(tx);
        out.int64(key.high());
        out.int64(key.low());
        out.int32(scopeOfCall.size());
        scopeOfCall.forEach((call, scopeId) -> {
            out.int64(call);
            out.int64(scopeId);
        });
        out.int32(current.size());
        current.forEach((resource, branch) -> {
            out.text(resource);
            out.branch(branch);
        });
        out.int32(live.size());
        live.forEach(out::branch);
        out.int32(branches);
        out.bool(closed);
    }

    static BranchCalls read(StateReader in) {
        BranchCalls calls = new BranchCalls(in.tx(), new SessionKey(in.int64(), in.int64()));
        for (int left = in.count(); left > 0; left--) {
            calls.scopeOfCall.put(in.int64(), in.int64());
        }
        for (int left = in.count(); left > 0; left--) {
            calls.current.put(in.text(), in.branch());
        }
        for (int left = in.count(); left > 0; left--) {
            calls.live.add(in.branch());
        }
        calls.branches = in.int32();
        calls.closed = in.bool();
        return calls;
    }
}
