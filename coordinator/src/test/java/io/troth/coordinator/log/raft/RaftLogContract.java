package io.troth.coordinator.log.raft;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.troth.coordinator.engine.DecisionLog;
import io.troth.coordinator.engine.LogListener;
import io.troth.coordinator.engine.Recovered;
import io.troth.coordinator.log.DecisionLogContract;
import io.troth.core.GlobalTxId;
import io.troth.core.coordinator.LogEntry;
import io.troth.core.coordinator.LogRecord;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.io.TempDir;

/**
 * The contract on members of a replicated log in one JVM. One opening starts them all and takes the log of the first
 * leader; the close, and a crash, stops them all. A crash is a copy of all disks as they are.
 */
abstract class RaftLogContract extends DecisionLogContract {

    @TempDir
    Path temp;

    private @Nullable Members members;
    private int crashes;

    /** What was sent although its leader does not hear of it. */
    private volatile @Nullable CompletableFuture<Void> surviving;

    abstract int count();

    @Override
    protected DecisionLog open() {
        if (members == null) {
            members = new Members(temp.resolve("crashes0"), count(), 100_000);
        }
        members.interference = EntrySender::send;
        members.startAll();
        return new Whole(members, members.awaitLead().log());
    }

    @AfterEach
    void failedNowhere() {
        if (members != null) {
            members.close();
            assertEquals(List.of(), members.failures);
        }
    }

    @Override
    protected void crash(boolean losesUnforced) {
        try {
            crashes++;
            members.copyTo(temp.resolve("crashes" + crashes));
            members.stopAll();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** The log writes by itself; but what is to survive a crash must be on the disk before that. */
    @Override
    protected void settle() {
        CompletableFuture<Void> sent = surviving;
        if (sent != null) {
            sent.join();
        }
    }

    @Override
    protected boolean losesLazyRecords() {
        return false;
    }

    /** A term of which the leader does not know any more what became of its entry, which Raft has, or never got. */
    @Override
    protected void failNextForcedWrite(boolean recordsSurvive) {
        RaftDecisionLog leading = ((Whole) log).log();
        members.interference = (raft, entry) -> {
            members.interference = EntrySender::send;
            if (recordsSurvive) {
                CompletableFuture<Void> sent;
                synchronized (leading) {
                    // Before it can be reported.
                    sent = raft.send(entry);
                    surviving = sent;
                    leading.end("test");
                }
                sent.join();
            }
            return CompletableFuture.failedFuture(new IOException("nobody knows"));
        };
    }

    /** The log of the leader, whose end is the end of all members. */
    private record Whole(Members members, RaftDecisionLog log) implements DecisionLog {
        @Override
        public Recovered recover(Consumer<LogEntry> applier) {
            return log.recover(applier);
        }

        @Override
        public void start(long epochNumber, LogListener listener) {
            log.start(epochNumber, listener);
        }

        @Override
        public void append(LogRecord record, boolean forced) {
            log.append(record, forced);
        }

        @Override
        public LogRecord.@Nullable Commit find(GlobalTxId tx) {
            return log.find(tx);
        }

        @Override
        public void purge(LogRecord.Horizon horizon) {
            log.purge(horizon);
        }

        @Override
        public void close() {
            log.close();
            members.stopAll();
        }
    }
}
