package io.troth.coordinator.log;

import io.troth.core.ClusterId;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.time.format.DateTimeParseException;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * The identity of one log, in the file {@code INCARNATION} beside the database and in the database itself: a database
 * that is gone, emptied or swapped is noticed by it, which no store can do alone.
 *
 * @param cluster the cluster whose decisions the log holds
 * @param id random, so that two logs never have the same
 * @param created when, for people to read
 * @param whole false while the database is still being made: until then nothing can have been decided, and making it
 *     is begun anew
 */
public record Incarnation(ClusterId cluster, long id, Instant created, boolean whole) {

    /** The format of the directory this code writes and reads. */
    public static final int FORMAT = 1;

    /** Names in the data directory of a member of a cluster: what Raft keeps, and who the member is. */
    public static final String MEMBER_DIRECTORY = "raft";

    public static final String MEMBER_FILE = "MEMBER";

    private static final String FILE = "INCARNATION";

    /** The same log, with its database made. */
    public Incarnation asWhole() {
        return new Incarnation(cluster, id, created, true);
    }

    /** Writes the file; it is on disk on return. */
    public void write(Path directory) throws IOException {
        Map<String, String> values = new LinkedHashMap<>();
        values.put("format", Integer.toString(FORMAT));
        values.put("cluster", cluster.toString());
        values.put("incarnation", idText());
        values.put("created", created.toString());
        values.put("whole", Boolean.toString(whole));
        DurableFiles.replace(directory, FILE, values);
    }

    /**
     * The incarnation of a data directory, or null when it has none.
     *
     * @throws LogRefusedException when the file cannot be understood
     */
    public static @Nullable Incarnation read(Path directory) throws IOException {
        Path file = directory.resolve(FILE);
        if (!Files.exists(file)) {
            return null;
        }
        try {
            Map<String, String> values = DurableFiles.read(file);
            String format = DurableFiles.value(values, "format");
            if (!format.equals(Integer.toString(FORMAT))) {
                throw new LogRefusedException(
                        LogRefusal.FORMAT_UNKNOWN,
                        directory,
                        "the log has format " + format + ", this program reads format " + FORMAT);
            }
            return new Incarnation(
                    ClusterId.parse(DurableFiles.value(values, "cluster")),
                    ClusterId.parse(DurableFiles.value(values, "incarnation")).value(),
                    Instant.parse(DurableFiles.value(values, "created")),
                    Boolean.parseBoolean(DurableFiles.value(values, "whole")));
        } catch (IllegalArgumentException | DateTimeParseException | DamagedRecordException e) {
            throw new LogRefusedException(
                    LogRefusal.INCARNATION_UNREADABLE, directory, "the file INCARNATION: " + e.getMessage(), e);
        }
    }

    /**
     * Makes sure that this is the configured cluster's log.
     *
     * @param configured null for whichever it is
     * @throws LogRefusedException {@link LogRefusal#FOREIGN_CLUSTER}
     */
    public void checkIsOf(@Nullable ClusterId configured, Path directory) {
        if (configured != null && !configured.equals(cluster)) {
            throw new LogRefusedException(
                    LogRefusal.FOREIGN_CLUSTER,
                    directory,
                    "foreign cluster id: the log belongs to cluster " + cluster + ", configured is cluster "
                            + configured);
        }
    }

    /**
     * Makes sure that a data directory that is in use is still where it was. Files that were deleted, or that lie on a disk
     * that was unmounted, can be written as long as they are open, and nobody will ever read them.
     *
     * @throws IOException when it is gone
     */
    public static void checkIsThere(Path directory) throws IOException {
        if (Files.notExists(directory.resolve(FILE))) {
            throw new IOException(
                    "there is no file INCARNATION any more: the data directory was deleted, moved or unmounted"
                            + " while it was in use");
        }
    }

    /**
     * Makes sure that a data directory without an incarnation, which is to be made anew, is no member's that has only lost
     * its log.
     *
     * @throws LogRefusedException {@link LogRefusal#INCARNATION_MISSING}
     */
    public static void checkIsNobodys(Path directory) {
        for (String left : List.of(MEMBER_DIRECTORY, MEMBER_FILE)) {
            if (Files.exists(directory.resolve(left))) {
                throw new LogRefusedException(
                        LogRefusal.INCARNATION_MISSING,
                        directory,
                        "there is a member's " + left
                                + " but no file INCARNATION. Nothing was changed; if nothing better"
                                + " is to be had, move " + left + " elsewhere and keep it");
            }
        }
    }

    /** Sixteen hexadecimal digits. */
    String idText() {
        return new ClusterId(id).toString();
    }
}
