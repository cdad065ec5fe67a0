package io.troth.core.joint;

import io.troth.core.BranchId;
import io.troth.core.ErrorCode;
import io.troth.core.GlobalTxId;
import io.troth.core.Proof;
import io.troth.core.Reason;
import io.troth.core.coordinator.Fate;
import io.troth.core.participant.PhaseTwoCompletion;
import io.troth.core.participant.PrepareResult;
import io.troth.core.participant.PreparedXid;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/** One database: what each branch did there, and what became of it. */
final class SimulatedDatabase {

    enum State {
        ACTIVE,
        PREPARED,
        COMMITTED,
        ROLLED_BACK,
        /** It wrote nothing, and is over. */
        READ_ONLY
    }

    /** One branch in the database. */
    static final class Work {
        final GlobalTxId tx;
        final BranchId branch;
        final List<Long> calls = new ArrayList<>();
        final int life;
        boolean wrote;
        State state = State.ACTIVE;

        Work(GlobalTxId tx, BranchId branch, int life) {
            this.tx = tx;
            this.branch = branch;
            this.life = life;
        }
    }

    final String name;
    final boolean hasProof;
    final Map<BranchId, Work> works = new TreeMap<>();
    /** Counts crashes: after one a proof of an unprepared branch may be another transaction's. */
    int life;

    private final Ledger ledger;

    SimulatedDatabase(String name, boolean hasProof, Ledger ledger) {
        this.name = name;
        this.hasProof = hasProof;
        this.ledger = ledger;
    }

    /** A statement of a call: false when the connection turns out to be dead. */
    boolean execute(GlobalTxId tx, BranchId branch, long call, boolean writes) {
        Work work = works.get(branch);
        if (work == null) {
            work = new Work(tx, branch, life);
            works.put(branch, work);
            ledger.started(work);
        }
        if (work.state != State.ACTIVE) {
            return false;
        }
        work.calls.add(call);
        work.wrote |= writes;
        return true;
    }

    /** Null when there is no such open transaction. */
    @Nullable
    PrepareResult prepare(BranchId branch) {
        Work work = works.get(branch);
        if (work == null) {
            return PrepareResult.readOnly();
        }
        if (work.state != State.ACTIVE) {
            return null;
        }
        work.state = work.wrote ? State.PREPARED : State.READ_ONLY;
        return work.wrote ? PrepareResult.prepared(proof(branch)) : PrepareResult.readOnly();
    }

    /** Null when there is no such open transaction. */
    @Nullable
    State commitOnePhase(BranchId branch) {
        Work work = works.get(branch);
        if (work == null) {
            return State.READ_ONLY;
        }
        if (work.state != State.ACTIVE) {
            return null;
        }
        work.state = work.wrote ? State.COMMITTED : State.READ_ONLY;
        return work.state;
    }

    /** The end of the connection, or a rollback: what is not prepared is gone. */
    void rollBackUnprepared(BranchId branch) {
        Work work = works.get(branch);
        if (work != null && work.state == State.ACTIVE) {
            work.state = State.ROLLED_BACK;
        }
    }

    PhaseTwoCompletion commitPrepared(BranchId branch, @Nullable Proof proof, boolean firstAttempt) {
        Work work = works.get(branch);
        if (work != null && work.state == State.PREPARED) {
            ledger.commits(work);
            work.state = State.COMMITTED;
            return PhaseTwoCompletion.done();
        }
        if (proof != null && work != null) {
            return work.state == State.COMMITTED ? PhaseTwoCompletion.done() : PhaseTwoCompletion.heuristic("lost");
        }
        return firstAttempt ? PhaseTwoCompletion.resolvedElsewhere("not known") : PhaseTwoCompletion.done();
    }

    PhaseTwoCompletion rollBackPrepared(BranchId branch) {
        Work work = works.get(branch);
        if (work != null && work.state == State.PREPARED) {
            ledger.rollsBack(work);
            work.state = State.ROLLED_BACK;
        }
        return PhaseTwoCompletion.done();
    }

    List<PreparedXid> prepared() {
        List<PreparedXid> all = new ArrayList<>();
        for (Work work : works.values()) {
            if (work.state == State.PREPARED) {
                all.add(new PreparedXid(work.tx, work.branch));
            }
        }
        return all;
    }

    Fate fate(BranchId branch) {
        Work work = works.get(branch);
        if (work == null) {
            return Fate.UNKNOWN;
        }
        return switch (work.state) {
            case ACTIVE -> Fate.IN_PROGRESS;
            case COMMITTED -> work.life == life ? Fate.COMMITTED : Fate.UNKNOWN;
            case ROLLED_BACK -> Fate.ROLLED_BACK;
            case PREPARED, READ_ONLY -> Fate.UNKNOWN;
        };
    }

    @Nullable
    Proof proof(BranchId branch) {
        return hasProof ? Proof.of(new byte[] {1, (byte) branch.counter()}) : null;
    }

    void crash() {
        life++;
        for (Work work : works.values()) {
            if (work.state == State.ACTIVE) {
                work.state = State.ROLLED_BACK;
            }
        }
    }

    static Reason lost() {
        return Reason.of(ErrorCode.CONNECTION_LOST);
    }
}
