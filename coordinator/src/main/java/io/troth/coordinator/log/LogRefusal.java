package io.troth.coordinator.log;

/** Why a data directory is not opened. The name is stable: it stands in the message, and scripts may look for it. */
public enum LogRefusal {
    IN_USE("Stop the other process, or give this one a data directory of its own."),
    INCARNATION_MISSING("Put the INCARNATION file of this log back. If the log came from a backup, take the whole data"
            + " directory from it."),
    INCARNATION_UNREADABLE("Put the INCARNATION file back from a copy of the data directory."),
    INCARNATION_DIFFERS("The database in log/ belongs to another data directory. Put the right one back."),
    DATABASE_MISSING("The log is gone although it existed. Do not start empty: decisions that databases wait for would"
            + " be presumed rolled back. Put the data directory back from a copy (docs/OPERATIONS.md, \"Lost log\")."),
    FOREIGN_CLUSTER("Correct cluster.id, or point the data directory at this cluster's log."),
    REPLICATED(
            "This is one member of a replicated log, and no log by itself. Give the single node a data directory of its"
                    + " own, or dissolve the cluster (docs/OPERATIONS.md, \"From one coordinator to three, and back\")."),
    NOT_EMPTY("Give the new member an empty data directory."),
    NOT_REPLICATED(
            "This is the log of a single node. Give the member a data directory of its own, or found a cluster on this log"
                    + " (docs/OPERATIONS.md, \"From one coordinator to three, and back\")."),
    NOT_ALONE(
            "Other members may have decided what this one does not know. While a majority is there, remove them first (troth"
                    + " cluster remove). When they are lost, see docs/OPERATIONS.md, \"Losing a majority\"."),
    MEMBER_LOST(
            "What this member has promised to the others is lost with its disk, or with its raft/ directory. Put the whole"
                    + " data directory back. If it is gone, remove the member from the cluster, make a new one on an empty"
                    + " data directory, and add that (docs/OPERATIONS.md, \"Replacing a member\")."),
    RAFT_LOG_DAMAGED(
            "Copy the data directory before anything else. While a majority of the others is there, remove this member and"
                    + " make a new one (docs/OPERATIONS.md, \"Replacing a member\"). If not, see \"Losing a majority\""
                    + " there."),
    FOREIGN_MEMBER(
            "Correct cluster.id, cluster.node and cluster.nodes: they are the same on all members, but for the name of"
                    + " each."),
    FORMAT_UNKNOWN("Start the program version that wrote the log, or a newer one (docs/OPERATIONS.md, \"Upgrading\")."),
    TAIL_LOST("The end of the log is gone. Copy the data directory, then see docs/OPERATIONS.md, \"Lost log\"."),
    DAMAGED("Copy the data directory before anything else, then run \"troth log verify\" on the copy."),
    UNUSABLE("Check the path, its permissions and the disk.");

    private final String advice;

    LogRefusal(String advice) {
        this.advice = advice;
    }

    /** What to do about it, as one or two sentences. */
    public String advice() {
        return advice;
    }
}
