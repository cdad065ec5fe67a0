package io.troth.chaos.sim.database;

import io.troth.chaos.sim.check.BranchFacts;
import io.troth.chaos.sim.check.Step;
import io.troth.core.BranchId;
import io.troth.core.GlobalTxId;
import java.util.ArrayList;
import java.util.List;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/** One transaction at a server: a branch, somebody's local work, or a stranger's. */
final class ServerTransaction {

    enum State {
        ACTIVE,
        PREPARED,
        COMMITTED,
        ROLLED_BACK
    }

    /** Counted up by the server; only for order. */
    final long serial;

    final long beganNanos;
    final TreeMap<String, List<Long>> writes = new TreeMap<>();
    final List<Step> steps = new ArrayList<>();

    @Nullable
    GlobalTxId tx;

    @Nullable
    BranchId branch;

    State state = State.ACTIVE;
    BranchFacts.Ending ending = BranchFacts.Ending.NONE;
    long deadlineNanos = Long.MAX_VALUE;
    long preparedNanos = -1;
    long endedNanos = -1;
    boolean touchedByRestore;

    /** The transaction id that PostgreSQL gives to what writes; 0 when there is none. */
    long id;

    /** The name under which it is prepared, or was started by an XAResource. */
    @Nullable
    String xid;

    /** The session that alone may finish it, while it is prepared; null when any may. */
    @Nullable
    ServerSession owner;

    /** It is somebody else's: no agent may ever end it. */
    boolean strangers;

    /** The server has rolled it back, and its session has not been told by a rollback of its own. */
    boolean failed;

    ServerTransaction(long serial, long beganNanos) {
        this.serial = serial;
        this.beganNanos = beganNanos;
    }

    boolean isOver() {
        return state == State.COMMITTED || state == State.ROLLED_BACK;
    }

    void isBranch(GlobalTxId globalTransaction, BranchId name) {
        tx = globalTransaction;
        branch = name;
    }

    /** Null when it is nobody's branch. */
    @Nullable
    BranchFacts facts(String resource) {
        if (tx == null || branch == null) {
            return null;
        }
        return new BranchFacts(
                resource,
                tx,
                branch,
                BranchFacts.State.valueOf(state.name()),
                ending,
                touchedByRestore,
                steps,
                beganNanos,
                deadlineNanos,
                preparedNanos,
                endedNanos);
    }
}
