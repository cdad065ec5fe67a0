package io.troth.coordinator.log.raft;

import io.troth.coordinator.log.DurableFiles;
import io.troth.coordinator.log.Position;
import io.troth.coordinator.log.rocksdb.AppliedStore;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.apache.ratis.server.protocol.TermIndex;
import org.apache.ratis.server.storage.FileInfo;
import org.apache.ratis.server.storage.RaftStorage;
import org.apache.ratis.statemachine.SnapshotInfo;
import org.apache.ratis.statemachine.SnapshotRetentionPolicy;
import org.apache.ratis.statemachine.StateMachineStorage;
import org.apache.ratis.statemachine.impl.FileListSnapshotInfo;
import org.apache.ratis.util.FileUtils;
import org.jspecify.annotations.Nullable;

/**
 * The copies of the store that Raft sends to members that are too far behind: one directory each, named for its position,
 * which has that name only when it is whole. Never the live store, which is different at each look (RATIS-2500).
 *
 * <p>Ratis puts the directory with all checkpoints aside when it installs one that came from the leader. Thread-safe.
 */
final class Checkpoints implements StateMachineStorage {

    /** The one before the newest may still be on its way to a member. */
    private static final int KEPT = 2;

    private static final Pattern NAME = Pattern.compile("checkpoint\\.([0-9]+)\\.([0-9]+)");

    /** One that is whole. */
    record Checkpoint(Position position, Path directory) {}

    /** Ratis asks for it again and again. */
    private volatile @Nullable SnapshotInfo latest;

    private volatile @Nullable Path directory;
    private volatile @Nullable Path unfinished;

    @Override
    public void init(RaftStorage storage) throws IOException {
        Path temporary = storage.getStorageDir().getTmpDir().toPath();
        Path all = storage.getStorageDir().getStateMachineDir().toPath();
        Files.createDirectories(all);
        Files.createDirectories(temporary);
        unfinished = temporary.resolve("checkpoint");
        directory = all;
        refresh();
    }

    /** The checkpoints are others now. */
    void refresh() throws IOException {
        Checkpoint newest = newest();
        latest = newest == null ? null : info(newest);
    }

    /** Takes one of the store as it is. */
    Position take(AppliedStore store) throws IOException {
        Path making = initialized(unfinished);
        FileUtils.deleteFully(making);
        Position position = store.checkpoint(making);
        Path all = initialized(directory);
        Path made = all.resolve("checkpoint." + position.term() + "." + position.index());
        FileUtils.deleteFully(made);
        DurableFiles.force(making);
        Files.move(making, made, StandardCopyOption.ATOMIC_MOVE);
        DurableFiles.force(all);
        refresh();
        return position;
    }

    /** The newest one, null when there is none. */
    @Nullable
    Checkpoint newest() throws IOException {
        return newest(directory);
    }

    /** The newest one in a directory of them, null when there is none, or no such directory. */
    static @Nullable Checkpoint newest(@Nullable Path directory) throws IOException {
        List<Checkpoint> all = oldestFirst(directory);
        return all.isEmpty() ? null : all.get(all.size() - 1);
    }

    private static List<Checkpoint> oldestFirst(@Nullable Path all) throws IOException {
        List<Checkpoint> found = new ArrayList<>();
        if (all == null || !Files.isDirectory(all)) {
            return found;
        }
        try (Stream<Path> files = Files.list(all)) {
            for (Path each : files.toList()) {
                Matcher name = NAME.matcher(each.getFileName().toString());
                if (name.matches()) {
                    Position position = new Position(Long.parseLong(name.group(1)), Long.parseLong(name.group(2)));
                    found.add(new Checkpoint(position, each));
                }
            }
        }
        found.sort(Comparator.comparingLong(checkpoint -> checkpoint.position().index()));
        return found;
    }

    private static SnapshotInfo info(Checkpoint checkpoint) throws IOException {
        List<FileInfo> files = new ArrayList<>();
        try (Stream<Path> all = Files.list(checkpoint.directory())) {
            // Ratis leaves the checksum of each file that it has received beside it.
            for (Path file :
                    all.filter(each -> !each.toString().endsWith(".md5")).toList()) {
                files.add(new FileInfo(file, null));
            }
        }
        Position position = checkpoint.position();
        return new FileListSnapshotInfo(files, TermIndex.valueOf(position.term(), position.index()));
    }

    @Override
    public @Nullable SnapshotInfo getLatestSnapshot() {
        return latest;
    }

    @Override
    public void cleanupOldSnapshots(@Nullable SnapshotRetentionPolicy policy) throws IOException {
        List<Checkpoint> all = oldestFirst(directory);
        for (Checkpoint old : all.subList(0, Math.max(0, all.size() - KEPT))) {
            FileUtils.deleteFully(old.directory());
        }
    }

    @Override
    public void format() {}

    private static Path initialized(@Nullable Path path) {
        if (path == null) {
            throw new IllegalStateException("not initialized");
        }
        return path;
    }
}
