package io.troth.core.coordinator;

import io.troth.core.BranchId;
import io.troth.core.Decision;
import io.troth.core.EpochId;
import io.troth.core.GlobalTxId;
import io.troth.core.Proof;
import io.troth.core.ResourceName;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What the decision log holds (protocol 3). There is no record of a rollback: no record means rollback (presumed
 * abort; Mohan, Lindsay and Obermarck).
 */
public sealed interface LogRecord {

    /** Calls the visitor's method for this kind of record. */
    <R> R accept(Visitor<R> visitor);

    /** One method a kind: a new kind does not compile until everyone has an answer to it. */
    interface Visitor<R> {
        R epoch(Epoch epoch);

        R commit(Commit commit);

        R end(End end);

        R horizon(Horizon horizon);

        R distrust(Distrust distrust);

        R heuristic(Heuristic heuristic);
    }

    /** A leader's first entry; never deleted. Once applied, no entry of a lower epoch is applied after it. */
    record Epoch(EpochId epoch) implements LogRecord {
        @Override
        public <R> R accept(Visitor<R> visitor) {
            return visitor.epoch(this);
        }
    }

    /** One branch that voted YES. */
    record YesBranch(
            BranchId branch, String resource, @Nullable Proof proof) {
        public YesBranch {
            ResourceName.check(resource);
        }
    }

    /** The decision: T is committed exactly when this is applied with an entry epoch equal to T's. */
    record Commit(GlobalTxId tx, List<YesBranch> branches) implements LogRecord {
        public Commit {
            branches = List.copyOf(branches);
        }

        @Override
        public <R> R accept(Visitor<R> visitor) {
            return visitor.commit(this);
        }
    }

    /** Every YES branch of T is done. Lazy: it may be lost, and phase 2 is then driven again. */
    record End(GlobalTxId tx) implements LogRecord {
        @Override
        public <R> R accept(Visitor<R> visitor) {
            return visitor.end(this);
        }
    }

    /** Records of ended transactions up to and including this (epoch, session) may be purged. */
    record Horizon(EpochId epoch, long session) implements LogRecord {
        @Override
        public <R> R accept(Visitor<R> visitor) {
            return visitor.horizon(this);
        }
    }

    /** The log was restored from a backup: absence of a record says nothing up to and including this epoch number. */
    record Distrust(long epochNumber) implements LogRecord {
        @Override
        public <R> R accept(Visitor<R> visitor) {
            return visitor.distrust(this);
        }
    }

    /** An operator decided a prepared branch by force, or closed a COMMIT that can never end ({@code branch} null). */
    record Heuristic(GlobalTxId tx, @Nullable BranchId branch, Decision decision, String reason) implements LogRecord {
        @Override
        public <R> R accept(Visitor<R> visitor) {
            return visitor.heuristic(this);
        }
    }
}
