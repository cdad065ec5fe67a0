package io.troth.coordinator.log.raft;

import io.troth.coordinator.log.DurableFiles;
import java.io.IOException;
import org.apache.ratis.server.storage.RaftStorage;
import org.apache.ratis.server.storage.RaftStorageMetadata;
import org.jspecify.annotations.Nullable;

/**
 * Makes sure that a member's term and vote are on disk before it says or does anything that rests on them. Thread-safe.
 *
 * <p>Ratis writes them to a new file, forces that and gives it the name of the old one, but does not force the directory:
 * after a lost power the old one can be there again. The member could then vote twice in one term, or acknowledge entries
 * of an earlier leader than it has acknowledged before.
 */
final class Promises {

    private volatile @Nullable RaftStorage storage;
    private volatile @Nullable RaftStorageMetadata forced;

    /** Ratis has its files open. */
    void begin(RaftStorage storage) {
        this.storage = storage;
    }

    /** Returns when the present term and vote are on disk. */
    void force() throws IOException {
        RaftStorage of = storage;
        if (of == null) {
            return;
        }
        // What is in memory is in the file, too.
        RaftStorageMetadata present = of.getMetadataFile().getMetadata();
        if (!present.equals(forced)) {
            DurableFiles.force(of.getStorageDir().getCurrentDir().toPath());
            forced = present;
        }
    }

    /** The last ones that are on disk for certain; null for none. For tests. */
    @Nullable
    RaftStorageMetadata forced() {
        return forced;
    }
}
