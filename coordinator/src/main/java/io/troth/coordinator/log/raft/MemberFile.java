package io.troth.coordinator.log.raft;

import io.troth.coordinator.log.DamagedRecordException;
import io.troth.coordinator.log.DurableFiles;
import io.troth.coordinator.log.Incarnation;
import io.troth.coordinator.log.LogEnvironment;
import io.troth.coordinator.log.LogRefusal;
import io.troth.coordinator.log.LogRefusedException;
import io.troth.coordinator.log.rocksdb.AppliedStore;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * Which member a data directory is, in the file {@code MEMBER}: written when the directory has been made, and once more
 * when the members of a new cluster have found each other.
 *
 * @param id drawn when the directory was made
 * @param founders the first configuration, this member included; empty when it did not found the cluster, or has not yet
 */
record MemberFile(MemberId id, List<MemberId> founders) {

    private static final String FILE = Incarnation.MEMBER_FILE;

    MemberFile {
        founders = List.copyOf(founders);
    }

    /** Writes the file; it is on disk on return. */
    void write(Path directory) throws IOException {
        Map<String, String> values = new LinkedHashMap<>();
        values.put("id", id.toString());
        values.put("founders", founders.stream().map(MemberId::toString).collect(Collectors.joining(",")));
        DurableFiles.replace(directory, FILE, values);
    }

    /** Removes the file: the directory is no member's then. It is gone from the disk on return. */
    static void delete(Path directory) throws IOException {
        Files.deleteIfExists(directory.resolve(FILE));
        DurableFiles.force(directory);
    }

    /**
     * What a data directory says that is to be used as this member.
     *
     * @throws LogRefusedException when there is no whole member, or another one or another cluster's, or the log of a single
     *     node
     */
    static MemberFile required(RaftSettings settings, LogEnvironment environment) throws IOException {
        Path directory = settings.log().directory();
        Incarnation incarnation = Incarnation.read(directory);
        if (incarnation != null) {
            // Under another id its files cannot be found: who takes it for a lost member is told to begin with an empty
            // one.
            incarnation.checkIsOf(settings.log().cluster(), directory);
        }
        MemberFile file = incarnation == null ? null : read(directory);
        if (file == null && incarnation != null) {
            // Refuses the log of a single node, for the same reason.
            AppliedStore.open(settings.log(), environment).close();
        }
        if (file == null || !RaftFiles.of(settings).exist()) {
            throw new LogRefusedException(
                    LogRefusal.MEMBER_LOST, directory, "there is no whole member of this cluster");
        }
        if (!file.id().node().equals(settings.node())) {
            throw new LogRefusedException(
                    LogRefusal.FOREIGN_MEMBER,
                    directory,
                    "it is that of " + file.id().node() + ", cluster.node is " + settings.node());
        }
        return file;
    }

    /**
     * What a data directory says.
     *
     * @return null when it is not that of a member, or was not made to the end
     * @throws LogRefusedException when the file cannot be understood
     */
    static @Nullable MemberFile read(Path directory) throws IOException {
        Path file = directory.resolve(FILE);
        if (!Files.exists(file)) {
            return null;
        }
        try {
            Map<String, String> values = DurableFiles.read(file);
            return new MemberFile(
                    MemberId.parse(DurableFiles.value(values, "id")), ids(DurableFiles.value(values, "founders")));
        } catch (IllegalArgumentException | DamagedRecordException e) {
            throw new LogRefusedException(LogRefusal.MEMBER_LOST, directory, "the file MEMBER: " + e.getMessage(), e);
        }
    }

    /** Reads ids that are separated by commas. */
    static List<MemberId> ids(String text) {
        return text.isEmpty()
                ? List.of()
                : Arrays.stream(text.split(",")).map(MemberId::parse).toList();
    }
}
