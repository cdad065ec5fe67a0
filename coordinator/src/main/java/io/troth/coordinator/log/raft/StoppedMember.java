package io.troth.coordinator.log.raft;

import io.troth.coordinator.log.DamagedRecordException;
import io.troth.coordinator.log.LaterFormatException;
import io.troth.coordinator.log.LogEnvironment;
import io.troth.coordinator.log.LogRefusal;
import io.troth.coordinator.log.LogRefusedException;
import io.troth.coordinator.log.Position;
import io.troth.coordinator.log.ReplicatedEntry;
import io.troth.coordinator.log.rocksdb.AppliedStore;
import java.io.IOException;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;
import java.util.function.Consumer;
import org.apache.ratis.proto.RaftProtos.LogEntryProto;
import org.apache.ratis.proto.RaftProtos.RaftConfigurationProto;
import org.apache.ratis.proto.RaftProtos.RaftPeerProto;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A member that does not run, on its disk: its store, and Raft's log behind it. Nobody else can have it meanwhile. One
 * thread.
 *
 * <p>Not every entry of a member's log was decided: the last ones may never have got a majority, and others may have been
 * decided in their place. What was, is known of these:
 *
 * <ul>
 *   <li>All of them, when the member was the only one at the end of its log: it was the majority itself.
 *   <li>Those of earlier terms, when a leader has made an entry: it leads when its first one is applied, which is behind
 *       them all.
 *   <li>Those of its own term but for the last few, because it waits for one that is on its way before it sends more than
 *       {@link RaftSettings#entriesInFlightMax}.
 * </ul>
 */
final class StoppedMember implements AutoCloseable {

    private static final Logger LOG = LoggerFactory.getLogger(StoppedMember.class);

    private final RaftSettings settings;
    private final RaftFiles files;
    private final AppliedStore store;

    private StoppedMember(RaftSettings settings, RaftFiles files, AppliedStore store) {
        this.settings = settings;
        this.files = files;
        this.store = store;
    }

    /**
     * Opens the directory of a member.
     *
     * @throws LogRefusedException when it is not to be used, or that of no member
     */
    static StoppedMember open(RaftSettings settings, LogEnvironment environment) throws IOException {
        return of(settings, AppliedStore.open(settings.log(), environment));
    }

    /** The same to restore it; null when it is that of a single node. */
    static @Nullable StoppedMember openForRestore(RaftSettings settings, LogEnvironment environment)
            throws IOException {
        AppliedStore store = AppliedStore.openForRestore(settings.log(), environment);
        return store == null ? null : of(settings, store);
    }

    private static StoppedMember of(RaftSettings settings, AppliedStore store) throws IOException {
        boolean opened = false;
        try {
            RaftFiles files = RaftFiles.of(settings);
            Checkpoints.Checkpoint newest = Checkpoints.newest(files.checkpoints());
            if (newest != null && newest.position().index() > store.position().index()) {
                store.replaceBy(newest.directory());
            }
            opened = true;
            return new StoppedMember(settings, files, store);
        } finally {
            if (!opened) {
                store.close();
            }
        }
    }

    AppliedStore store() {
        return store;
    }

    /**
     * Applies the whole log of the only member there is.
     *
     * @throws LogRefusedException {@link LogRefusal#NOT_ALONE} when it was not the only one, {@link
     *     LogRefusal#RAFT_LOG_DAMAGED}
     */
    void applyAll(MemberFile file) throws IOException {
        Survey survey = new Survey(settings.entriesInFlightMax());
        survey.configuration = files.configuration();
        read(survey, true);
        String missing = files.missing(store.position(), survey.last);
        if (missing != null) {
            throw new LogRefusedException(LogRefusal.RAFT_LOG_DAMAGED, files.data(), missing);
        }
        if (!isOnly(file, survey.configuration)) {
            throw new LogRefusedException(
                    LogRefusal.NOT_ALONE,
                    files.data(),
                    "the last members that " + settings.node() + " knows are " + names(survey.configuration));
        }
        read(new Applying(store, Long.MAX_VALUE), true);
        store.flush();
    }

    private static boolean isOnly(MemberFile file, @Nullable LogEntryProto last) {
        if (last == null) {
            return file.founders().equals(List.of(file.id()));
        }
        RaftConfigurationProto configuration = last.getConfigurationEntry();
        return configuration.getOldPeersCount() == 0
                && configuration.getPeersCount() == 1
                && configuration
                        .getPeers(0)
                        .getId()
                        .toStringUtf8()
                        .equals(file.id().toString());
    }

    private static List<String> names(@Nullable LogEntryProto last) {
        return last == null
                ? List.of()
                : last.getConfigurationEntry().getPeersList().stream()
                        .map(RaftPeerProto::getId)
                        .map(id -> MemberId.parse(id.toStringUtf8()).node())
                        .toList();
    }

    /**
     * Applies what is known to be decided, of a log that may be damaged or gone.
     *
     * @return how many entries are in the log behind it, of which that is not known
     */
    long applyDecided() throws IOException {
        Survey survey = new Survey(settings.entriesInFlightMax());
        if (files.exist()) {
            read(survey, false);
            String missing = files.missing(store.position(), survey.last);
            if (missing != null) {
                LOG.warn("{}: what came later is lost", missing);
            }
            read(new Applying(store, survey.decided), false);
            store.flush();
        }
        return Math.max(0, survey.last - store.position().index());
    }

    /** A log that need not be whole is read as far as it can be. */
    private void read(Consumer<LogEntryProto> consumer, boolean whole) throws IOException {
        try {
            files.read(consumer);
        } catch (IOException | DamagedRecordException e) {
            LogRefusedException unreadable = RaftFiles.unreadable(files.data(), e);
            if (whole || e instanceof LaterFormatException) {
                // The version that wrote it reads on: what is behind is not lost.
                throw unreadable;
            }
            LOG.warn("what is behind this is left out: {}", unreadable.getMessage());
        }
    }

    @Override
    public void close() {
        store.close();
    }

    /** How far a log is decided, and who the members are at its end. */
    static final class Survey implements Consumer<LogEntryProto> {
        private final int inFlightMax;
        private final Deque<Long> ofLeader = new ArrayDeque<>();
        private long term;
        private long lastOfEarlierTerms = -1;
        private long last = -1;
        private long decided = -1;
        private @Nullable LogEntryProto configuration;

        Survey(int inFlightMax) {
            this.inFlightMax = inFlightMax;
        }

        /** The last entry; {@link Position#START} when there is none. */
        Position last() {
            return new Position(term, last);
        }

        /** The index of the last entry that is known to be decided; below 0 when of none that is known. */
        long decided() {
            return decided;
        }

        @Override
        public void accept(LogEntryProto entry) {
            if (entry.getTerm() != term) {
                term = entry.getTerm();
                lastOfEarlierTerms = last;
                ofLeader.clear();
            }
            last = entry.getIndex();
            if (entry.hasConfigurationEntry()) {
                configuration = entry;
            } else if (entry.hasStateMachineLogEntry() && made(entry).hasEffectIn(term)) {
                decided = Math.max(decided, lastOfEarlierTerms);
                ofLeader.add(last);
                if (ofLeader.size() > inFlightMax) {
                    decided = ofLeader.remove();
                }
            }
        }
    }

    /** Puts entries into a store, up to one of them. */
    private record Applying(AppliedStore store, long through) implements Consumer<LogEntryProto> {
        @Override
        public void accept(LogEntryProto entry) {
            Position at = new Position(entry.getTerm(), entry.getIndex());
            long next = store.position().index() + 1;
            if (at.index() < next || at.index() > through) {
                return;
            }
            if (at.index() > next) {
                throw new DamagedRecordException("entry " + next + " is missing");
            }
            if (entry.hasStateMachineLogEntry()) {
                AppliedStore.Applied unused = store.apply(at, made(entry));
            } else {
                store.pass(at);
            }
        }
    }

    private static ReplicatedEntry made(LogEntryProto entry) {
        return ReplicatedEntry.decode(
                entry.getStateMachineLogEntry().getLogData().toByteArray());
    }
}
