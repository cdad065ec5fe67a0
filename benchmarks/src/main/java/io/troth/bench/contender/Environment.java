package io.troth.bench.contender;

import io.troth.chaos.process.Children;
import java.nio.file.Path;
import java.util.List;

/** What a contender finds when it is opened. */
public interface Environment {

    /** The databases, in the order of {@link Step#resource()}; of a {@link Suite#NOOP} run, none. */
    List<Database> databases();

    /** How many transactions will be in flight at most: so many calls of {@link Running#run} at once. */
    int inFlight();

    /** How many connections to each database the contender may have open; the same for everybody, and in every run. */
    int connections();

    /** A new, empty directory for the contender's log, on the disk on which the databases are. */
    Path newDirectory(String name);

    /** As {@link #newDirectory}, but in memory, where a forced write costs nothing; it is gone after the run. */
    Path newMemoryDirectory();

    /** The group to start processes in; they end with the run at the latest. */
    Children children();
}
