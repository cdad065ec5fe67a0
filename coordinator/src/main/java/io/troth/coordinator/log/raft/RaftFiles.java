package io.troth.coordinator.log.raft;

import io.troth.coordinator.log.DurableFiles;
import io.troth.coordinator.log.LogRefusal;
import io.troth.coordinator.log.LogRefusedException;
import io.troth.core.ClusterId;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
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
import org.apache.ratis.server.storage.RaftStorage;
import org.apache.ratis.server.storage.RaftStorageMetadata;
import org.apache.ratis.util.FileUtils;
import org.apache.ratis.util.SizeInBytes;
import org.jspecify.annotations.Nullable;

/**
 * Where Raft keeps what it has promised, below the data directory of a member: its log, its term and its vote, and the
 * copies of the store. What runs on them is {@link RaftMember}; here they are made, removed, and read while nobody runs.
 *
 * @param data the data directory
 * @param group that of Raft, in its own words
 */
record RaftFiles(Path data, Path group) {

    /** Below the data directory. */
    static final String DIRECTORY = "raft";

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
        return group.resolve("sm");
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
        RaftStorage made = RaftStorage.newBuilder()
                .setDirectory(group.toFile())
                .setOption(RaftStorage.StartupOption.FORMAT)
                .setLogCorruptionPolicy(RaftServerConfigKeys.Log.CorruptionPolicy.EXCEPTION)
                .setStorageFreeSpaceMin(SizeInBytes.valueOf("0"))
                .build();
        made.initialize();
        made.getMetadataFile().persist(RaftStorageMetadata.valueOf(term, null));
        made.close();
        for (Path each : List.of(current(), group, group.getParent())) {
            DurableFiles.force(each);
        }
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

    /** Why a member does not start on a log that cannot be read. */
    static LogRefusedException damaged(Path data, Exception cause) {
        return new LogRefusedException(
                LogRefusal.RAFT_LOG_DAMAGED, data, "Raft's log cannot be read: " + cause.getMessage(), cause);
    }

    /**
     * Hands the entries of the log over, in order, from the first that is still there.
     *
     * @throws IOException when the log is damaged; what came before was handed over
     */
    void read(Consumer<LogEntryProto> consumer) throws IOException {
        List<LogSegmentPath> segments = new ArrayList<>();
        try (Stream<Path> files = Files.list(current())) {
            // One without a byte has no entry, and Ratis would delete it.
            files.filter(file -> file.toFile().length() > 0)
                    .map(LogSegmentPath::matchLogSegment)
                    .filter(Objects::nonNull)
                    .forEach(segments::add);
        }
        segments.sort(Comparator.comparing(LogSegmentPath::getStartEnd));
        try {
            for (LogSegmentPath segment : segments) {
                LogSegment.readSegmentFile(
                        segment.getPath().toFile(),
                        segment.getStartEnd(),
                        RatisProperties.ENTRY_BYTES_MAX,
                        RaftServerConfigKeys.Log.CorruptionPolicy.EXCEPTION,
                        null,
                        consumer);
            }
        } catch (IllegalStateException e) {
            // How Ratis says that entries do not follow each other.
            throw new IOException(e.getMessage(), e);
        }
    }
}
