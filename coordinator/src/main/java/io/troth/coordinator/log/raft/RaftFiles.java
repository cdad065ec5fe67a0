package io.troth.coordinator.log.raft;

import io.troth.coordinator.log.DurableFiles;
import io.troth.coordinator.log.Incarnation;
import io.troth.coordinator.log.LaterFormatException;
import io.troth.coordinator.log.LogRefusal;
import io.troth.coordinator.log.LogRefusedException;
import io.troth.coordinator.log.Position;
import io.troth.core.ClusterId;
import java.io.IOException;
import java.io.InputStream;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Objects;
import java.util.function.Consumer;
import java.util.stream.Stream;
import org.apache.ratis.proto.RaftProtos.LogEntryProto;
import org.apache.ratis.server.RaftServerConfigKeys;
import org.apache.ratis.server.raftlog.segmented.LogSegment;
import org.apache.ratis.server.raftlog.segmented.LogSegmentPath;
import org.apache.ratis.server.raftlog.segmented.SegmentedRaftLogFormat;
import org.apache.ratis.server.storage.RaftStorage;
import org.apache.ratis.server.storage.RaftStorageMetadata;
import org.apache.ratis.thirdparty.com.google.protobuf.CodedOutputStream;
import org.apache.ratis.util.FileUtils;
import org.apache.ratis.util.SizeInBytes;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Where Raft keeps what it has promised, below the data directory of a member: its log, its term and its vote, and the
 * copies of the store. What runs on them is {@link RaftMember}; here they are made, removed, and read while nobody runs.
 *
 * @param data the data directory
 * @param group that of Raft, in its own words
 */
record RaftFiles(Path data, Path group) {

    /** Below the data directory. */
    static final String DIRECTORY = Incarnation.MEMBER_DIRECTORY;

    private static final Logger LOG = LoggerFactory.getLogger(RaftFiles.class);

    private static final String OPEN = "log_inprogress_";
    private static final String CHECKPOINTS = "sm";
    private static final String META = "raft-meta";
    private static final String CONFIGURATION = "raft-meta.conf";

    static RaftFiles of(RaftSettings settings) {
        return of(
                settings.log().directory(),
                Objects.requireNonNull(settings.log().cluster()));
    }

    static RaftFiles of(Path data, ClusterId cluster) {
        return new RaftFiles(
                data,
                data.resolve(DIRECTORY)
                        .resolve(RaftMember.group(cluster).getUuid().toString()));
    }

    private Path current() {
        return group.resolve("current");
    }

    /** Where {@link Checkpoints} has them. */
    Path checkpoints() {
        return group.resolve(CHECKPOINTS);
    }

    /** False when they were never made, or not to the end, or are gone. */
    boolean exist() {
        return Files.exists(current().resolve(META));
    }

    /** True when there is neither an entry nor a configuration. */
    boolean isNew() throws IOException {
        try (Stream<Path> files = Files.list(current())) {
            return files.map(file -> file.getFileName().toString())
                    .noneMatch(name -> name.startsWith("log_") || name.equals(CONFIGURATION));
        }
    }

    /** Makes them anew, in place of what a crash has left; on disk on return. Terms above this one may be led. */
    void make(long term) throws IOException {
        delete();
        Files.createDirectories(group.getParent());
        RaftStorage made = storage(RaftStorage.StartupOption.FORMAT);
        made.getMetadataFile().persist(RaftStorageMetadata.valueOf(term, null));
        made.close();
        for (Path each : List.of(current(), group, group.getParent())) {
            DurableFiles.force(each);
        }
    }

    /** They as Ratis has them; whoever asks closes it. */
    RaftStorage storage(RaftStorage.StartupOption option) throws IOException {
        RaftStorage storage = RaftStorage.newBuilder()
                .setDirectory(group.toFile())
                .setOption(option)
                .setLogCorruptionPolicy(RaftServerConfigKeys.Log.CorruptionPolicy.EXCEPTION)
                .setStorageFreeSpaceMin(SizeInBytes.valueOf("0"))
                .build();
        storage.initialize();
        return storage;
    }

    /** Removes everything of any cluster; on disk on return. */
    void delete() throws IOException {
        FileUtils.deleteFully(data.resolve(DIRECTORY));
        DurableFiles.force(data);
    }

    /** The configuration that was applied last, as the entry that it is; null when there is none. */
    @Nullable
    LogEntryProto configuration() throws IOException {
        Path file = current().resolve(CONFIGURATION);
        if (!Files.exists(file)) {
            return null;
        }
        try (InputStream in = Files.newInputStream(file)) {
            return LogEntryProto.parseFrom(in);
        }
    }

    /** Why a log that cannot be read is not used; what a later version has written is not damaged. */
    static LogRefusedException unreadable(Path data, Exception cause) {
        return new LogRefusedException(
                cause instanceof LaterFormatException ? LogRefusal.FORMAT_UNKNOWN : LogRefusal.RAFT_LOG_DAMAGED,
                data,
                "Raft's log cannot be read: " + cause.getMessage(),
                cause);
    }

    /**
     * Hands the entries of the log over, in order, from the first that is still there.
     *
     * @throws IOException when the log is damaged; what came before was handed over
     */
    void read(Consumer<LogEntryProto> consumer) throws IOException {
        for (LogSegmentPath segment : segments()) {
            End unused = read(segment, consumer);
        }
    }

    /**
     * How a file ends.
     *
     * @param last the index of its last entry, -1 when there is none
     * @param bytes up to where it can be read
     * @param isTorn Ratis takes what is behind that for damage, but it is what a lost power leaves of an entry
     */
    private record End(Path file, long last, long bytes, boolean isTorn) {}

    private List<LogSegmentPath> segments() throws IOException {
        try (Stream<Path> files = Files.list(current())) {
            // One without a byte has no entry, and Ratis would delete it.
            return files.filter(file -> file.toFile().length() > 0)
                    .map(LogSegmentPath::matchLogSegment)
                    .filter(Objects::nonNull)
                    .sorted(Comparator.comparing(LogSegmentPath::getStartEnd))
                    .toList();
        }
    }

    /** Hands over the entries of one file. */
    private static End read(LogSegmentPath segment, Consumer<LogEntryProto> consumer) throws IOException {
        long[] end = {SegmentedRaftLogFormat.getHeaderLength()};
        long[] last = {-1};
        IOException unreadable = null;
        try {
            int unused = LogSegment.readSegmentFile(
                    segment.getPath().toFile(),
                    segment.getStartEnd(),
                    RatisProperties.ENTRY_BYTES_MAX,
                    RaftServerConfigKeys.Log.CorruptionPolicy.EXCEPTION,
                    null,
                    entry -> {
                        end[0] += bytes(entry);
                        last[0] = entry.getIndex();
                        consumer.accept(entry);
                    });
        } catch (IllegalStateException e) {
            // How Ratis says that entries do not follow each other.
            throw new IOException(e.getMessage(), e);
        } catch (IOException e) {
            unreadable = e;
        }
        // A file that is closed ends its name with its last entry; what may be behind that is nothing.
        String name = segment.getPath().getFileName().toString();
        boolean hasAll = name.endsWith("-" + last[0]);
        if (!hasAll || unreadable != null) {
            SegmentTail tail = new SegmentTail(segment.getPath(), end[0]);
            String damage = tail.damage(last[0]);
            boolean isTorn = name.startsWith(OPEN) && damage == null && tail.isTorn();
            if (unreadable != null && !isTorn) {
                throw unreadable;
            }
            if (damage != null) {
                throw new IOException(damage);
            }
        }
        return new End(segment.getPath(), last[0], end[0], unreadable != null);
    }

    /** As much as an entry takes of its file. */
    private static long bytes(LogEntryProto entry) {
        int content = entry.getSerializedSize();
        return (long) CodedOutputStream.computeUInt32SizeNoTag(content) + content + Integer.BYTES;
    }

    /**
     * Makes sure, before Ratis takes what it finds for all there was, that the log is not cut off below the store. A store
     * has only entries that were decided, and that were on this disk before ({@code RaftLogBase.updateCommitIndex}) or came
     * with a checkpoint, which stays. Reads the end of the log only, and cuts off an entry that a lost power has torn.
     *
     * @param applied the last entry that is in the store
     * @throws LogRefusedException {@link LogRefusal#RAFT_LOG_DAMAGED}
     */
    void checkEnd(Position applied) throws IOException {
        List<End> ends;
        try {
            ends = ends();
        } catch (IOException e) {
            throw unreadable(data, e);
        }
        long last = ends.isEmpty() ? -1 : ends.get(ends.size() - 1).last();
        String missing = missing(applied, last);
        if (missing != null) {
            throw new LogRefusedException(LogRefusal.RAFT_LOG_DAMAGED, data, missing);
        }
        Checkpoints.Checkpoint newest = Checkpoints.newest(checkpoints());
        if (newest != null && newest.position().index() > last) {
            dropEntries();
            return;
        }
        for (End end : ends) {
            try (FileChannel file = FileChannel.open(end.file(), StandardOpenOption.WRITE)) {
                if (end.isTorn()) {
                    LOG.warn(
                            "the machine stopped in the middle of a write: nobody has acknowledged what is in {} from"
                                    + " byte {} on, and it is cut off",
                            end.file(),
                            end.bytes());
                    file.truncate(end.bytes());
                }
                // A process that was killed has perhaps not forced its last entries, and Ratis takes all for forced.
                file.force(true);
            }
        }
        DurableFiles.force(current());
    }

    /**
     * What a member leaves that died while it installed a checkpoint: all entries are in that. Ratis would keep the last file,
     * and refuse for ever what comes behind the gap.
     */
    private void dropEntries() throws IOException {
        for (LogSegmentPath segment : segments()) {
            Files.delete(segment.getPath());
        }
        DurableFiles.force(current());
    }

    /**
     * What is wrong when a log ends so.
     *
     * @param last the index of the last entry; -1 for none
     * @return null when nothing is
     */
    @Nullable
    String missing(Position applied, long last) throws IOException {
        // Where a store stands that a cluster is founded on, there is no entry.
        if (applied.index() <= Math.max(Position.FOUNDED.index(), last) || applied.index() <= checkpointed()) {
            return null;
        }
        return "the end of Raft's log is gone: " + (last < 0 ? "it has no entry" : "it ends with entry " + last)
                + (segments().isEmpty()
                        ? ""
                        : " in " + segments().get(segments().size() - 1).getPath())
                + ", and the store in log/ has had entry " + applied.index() + " from it";
    }

    /** The last file, and those before it up to one with an entry: Ratis drops a file without one, whatever its name is. */
    private List<End> ends() throws IOException {
        List<End> ends = new ArrayList<>();
        List<LogSegmentPath> all = segments();
        for (int i = all.size() - 1; i >= 0; i--) {
            End end = read(all.get(i), entry -> {});
            ends.add(end);
            if (end.last() >= 0) {
                break;
            }
        }
        return ends;
    }

    /** The index of the newest checkpoint, also of those that Ratis has put aside to put others in place; -1 for none. */
    private long checkpointed() throws IOException {
        long newest = -1;
        try (Stream<Path> all = Files.list(group)) {
            for (Path each : all.filter(file -> file.getFileName().toString().startsWith(CHECKPOINTS))
                    .toList()) {
                Checkpoints.Checkpoint checkpoint = Checkpoints.newest(each);
                newest = checkpoint == null
                        ? newest
                        : Math.max(newest, checkpoint.position().index());
            }
        }
        return newest;
    }
}
