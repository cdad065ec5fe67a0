package io.troth.core;

import org.jspecify.annotations.Nullable;

/**
 * The closed catalogue of everything Troth refuses, rolls back for, or cannot tell. The name is the stable code on the
 * wire, in logs, in metrics and in exceptions; {@code docs/ERRORS.md} is generated from it.
 */
public enum ErrorCode {
    // What a caller did wrong: nothing has changed.
    INVALID_ARGUMENT(Status.INVALID_ARGUMENT, "22023", false, "Correct the named field; the request changed nothing."),
    LIMIT_EXCEEDED(
            Status.RESOURCE_EXHAUSTED,
            "54000",
            false,
            "The request is larger than a configured limit. Make it smaller or raise the named limit."),
    WRONG_SESSION_KEY(
            Status.PERMISSION_DENIED, "28000", false, "The key does not belong to the transaction's client session."),
    NOT_PERMITTED(
            Status.PERMISSION_DENIED,
            "42501",
            false,
            "Operators change something only on the coordinator's own machine, over its loopback address."),
    WRONG_CLUSTER(
            Status.FAILED_PRECONDITION,
            "08004",
            false,
            "The peer belongs to another cluster. Check the configured endpoints and cluster.id."),
    UNKNOWN_SESSION(
            Status.NOT_FOUND,
            "08003",
            true,
            "The client session is closed or was never opened here. Open a new one and begin a new transaction."),
    UNKNOWN_TRANSACTION(
            Status.NOT_FOUND, "25000", false, "No such transaction is open here. Ask for the outcome instead."),
    UNKNOWN_RESOURCE(
            Status.NOT_FOUND,
            "08001",
            true,
            "No connected agent offers this resource. Start its agent, or correct the name."),
    TRANSACTION_ENDED(
            Status.FAILED_PRECONDITION,
            "25000",
            false,
            "The transaction has ended; its branches take no more work. Begin a new transaction."),
    TRANSACTION_PREPARING(
            Status.FAILED_PRECONDITION,
            "25000",
            false,
            "Commit was already asked for; no branch can be added. Finish all calls before commit."),
    DUPLICATE_CALL(
            Status.FAILED_PRECONDITION,
            "25000",
            false,
            "The same call arrived twice; it was executed once. Something between the services retries calls."),
    REQUEST_DIFFERS(
            Status.FAILED_PRECONDITION, "25000", false, "A repeated commit must have the content of the first one."),
    NOT_IN_TRANSACTION(Status.FAILED_PRECONDITION, "25000", false, "This needs a global transaction. Begin one first."),
    ALREADY_IN_TRANSACTION(
            Status.FAILED_PRECONDITION,
            "25001",
            false,
            "A transaction runs here already. Join it with inTransaction, or ask for a separate one in the options."),
    TRANSACTION_CONTROL_REFUSED(
            Status.FAILED_PRECONDITION,
            "2D000",
            false,
            "The branch belongs to the global transaction: commit or roll back that one, not the connection."),
    OPENED_OUTSIDE_TRANSACTION(
            Status.FAILED_PRECONDITION,
            "25000",
            false,
            "The connection was opened before the transaction began. Take a new one inside it."),
    SCOPE_CLOSED(
            Status.FAILED_PRECONDITION,
            "08003",
            false,
            "The call under which this handle was opened has ended. Take a new connection in the new call."),
    SQL_REFUSED(
            Status.INVALID_ARGUMENT,
            "0A000",
            false,
            "The SQL gateway takes one statement without transaction control."),
    TYPE_NOT_SUPPORTED(
            Status.INVALID_ARGUMENT, "0A000", false, "Cast the named column or parameter to a supported type."),

    // What an operator of a cluster asked for in vain: nothing has changed.
    NOT_A_CLUSTER(
            Status.FAILED_PRECONDITION,
            "55000",
            false,
            "This is a single coordinator. See docs/OPERATIONS.md, \"Several coordinators\", for how it becomes several."),
    UNKNOWN_MEMBER(Status.NOT_FOUND, "42704", false, "No member has this name. troth cluster status lists them."),
    MEMBER_EXISTS(
            Status.FAILED_PRECONDITION,
            "42710",
            false,
            "A member has this name or address already. Give the new one another, or remove the old one first."),
    MEMBER_NOT_NEW(
            Status.FAILED_PRECONDITION,
            "55000",
            false,
            "The node at this address was a member before, or is another one. Make it anew on an empty data directory."),
    MEMBER_UNREACHABLE(
            Status.UNAVAILABLE,
            "08001",
            true,
            "The named member does not answer the leader. Start it, or check the network."),
    LAST_MEMBER(
            Status.FAILED_PRECONDITION,
            "55000",
            false,
            "A cluster without a member would be none. To go on with a single coordinator, stop it and dissolve the"
                    + " cluster (troth cluster dissolve)."),
    NO_MAJORITY(
            Status.FAILED_PRECONDITION,
            "55000",
            true,
            "After the change no majority of the members would be there. Start those that are away first, or remove them."),
    CHANGE_UNDER_WAY(
            Status.UNAVAILABLE,
            "55006",
            true,
            "Another change of the members is under way. Wait until it is done, look at the status, and try again."),

    // What the service cannot do at the moment: nothing was started.
    NOT_LEADER(Status.UNAVAILABLE, "08001", true, "Ask the leader; the client library does so by itself."),
    NOT_READY(Status.UNAVAILABLE, "08001", true, "The coordinator is starting. Try again shortly."),
    NO_COORDINATOR(
            Status.UNAVAILABLE, "08001", true, "No coordinator is reachable. Local work goes on; try again later."),
    OVERLOADED(
            Status.RESOURCE_EXHAUSTED,
            "53000",
            true,
            "Too much is open or remembered; the detail says what. Try again with back-off."),
    DRAINING(Status.UNAVAILABLE, "57P01", true, "The service is shutting down. Try again at another instance."),
    DISK_FLOOR(
            Status.RESOURCE_EXHAUSTED,
            "53100",
            true,
            "The coordinator's disk is nearly full: free space. Running transactions still end."),
    LOG_STALLED(Status.UNAVAILABLE, "58030", true, "The log's disk does not answer. Nothing is lost; check the disk."),
    LOG_DISTRUSTED(
            Status.UNAVAILABLE,
            "58030",
            false,
            "Agents have seen more of the log than is left of it. Restore it; see docs/OPERATIONS.md, \"Lost log\"."),
    DATABASE_UNAVAILABLE(
            Status.UNAVAILABLE,
            "08001",
            true,
            "The database does not answer or has no free connection. Prepared branches are finished when it does."),
    DATABASE_MISCONFIGURED(
            Status.FAILED_PRECONDITION,
            "55000",
            false,
            "The database refuses what a participant must be allowed to do; the detail names the setting or the right."),
    RESOURCE_IDENTITY_DIFFERS(
            Status.FAILED_PRECONDITION,
            "08004",
            false,
            "Another instance offers this resource name for another database or role. Correct one of them."),

    // Why a transaction was rolled back: certain, and nothing is left of it.
    ROLLED_BACK_BY_CLIENT(Status.ABORTED, "40000", false, "The application asked for it."),
    ROLLBACK_ONLY(
            Status.ABORTED,
            "40000",
            false,
            "A call under the transaction failed or its reply was lost; see the cause."),
    DEADLINE_EXCEEDED(
            Status.ABORTED, "40000", false, "The transaction ran longer than its timeout. Raise it, or do less in it."),
    SESSION_ENDED(Status.ABORTED, "40000", true, "The client's session ended before commit was asked for."),
    LEADER_CHANGED(
            Status.ABORTED, "40000", true, "The coordinator was restarted or replaced. Running it again is safe."),
    STREAM_BROKEN(
            Status.ABORTED,
            "40000",
            true,
            "The connection to the named branch's agent broke. Running it again is safe."),
    INSTANCE_NOT_CONNECTED(Status.ABORTED, "40000", true, "The agent that holds the named branch is not connected."),
    BRANCH_NOT_LISTED(
            Status.ABORTED,
            "40000",
            false,
            "A branch exists that the client does not know: a call was executed whose reply it never got."),
    CALL_COUNT_DIFFERS(
            Status.ABORTED, "40000", false, "The branch executed more or fewer calls than the client had replies for."),
    BRANCH_NOT_FOUND(Status.ABORTED, "40000", true, "The agent does not hold the branch (any more)."),
    BRANCH_ROLLED_BACK(Status.ABORTED, "40000", false, "The branch was rolled back before prepare; see the detail."),
    STATEMENT_RUNNING(
            Status.ABORTED, "40000", false, "A statement of the branch was still running at commit or reply."),
    STATEMENT_FAILED(Status.ABORTED, "40000", false, "A statement of the branch failed and no savepoint undid it."),
    DEADLOCK(Status.ABORTED, "40P01", true, "The database chose the branch as a deadlock victim. Run it again."),
    SERIALIZATION_FAILURE(Status.ABORTED, "40001", true, "The database could not serialize the branch. Run it again."),
    CONNECTION_LOST(Status.ABORTED, "40000", true, "The branch's database connection was lost before prepare."),
    PREPARE_REFUSED(Status.ABORTED, "40000", false, "The database refused to prepare the branch; see the detail."),
    PREPARED_SLOTS_EXHAUSTED(
            Status.ABORTED,
            "53200",
            true,
            "The database has no free slot for a prepared transaction: raise max_prepared_transactions."),
    TRANSACTION_CONTROL_BYPASSED(
            Status.ABORTED,
            "2D000",
            false,
            "SQL inside the branch ended its transaction or changed its user: part of the work may be durable. Alarm."),
    RESOURCE_ON_HOLD(
            Status.ABORTED,
            "40000",
            true,
            "The named resource is on hold: an operator looks into its in-doubt branches. Run it again later."),
    COMMIT_REFUSED(Status.ABORTED, "40000", false, "The database refused the commit of the branch; see the detail."),

    // What cannot be told.
    OUTCOME_UNKNOWN(
            Status.UNKNOWN, "08007", false, "The outcome is not known (yet). Ask again with the token; do not repeat."),
    OUTCOME_FORGOTTEN(Status.NOT_FOUND, "08007", false, "The transaction is older than the outcome retention."),

    // What should never happen.
    HEURISTIC_MIXED(
            Status.DATA_LOSS,
            "40000",
            false,
            "A branch was resolved by hand against the decision. See docs/OPERATIONS.md, \"Heuristic outcomes\"."),
    INTERNAL(Status.INTERNAL, "XX000", false, "A bug in Troth: please report it with the log.");

    /** The gRPC status that carries the code; the names are gRPC's, this package just does not depend on gRPC. */
    public enum Status {
        INVALID_ARGUMENT,
        FAILED_PRECONDITION,
        NOT_FOUND,
        PERMISSION_DENIED,
        RESOURCE_EXHAUSTED,
        ABORTED,
        UNAVAILABLE,
        UNKNOWN,
        DATA_LOSS,
        INTERNAL
    }

    private final Status status;
    private final String sqlState;
    private final boolean retryable;
    private final String advice;

    ErrorCode(Status status, String sqlState, boolean retryable, String advice) {
        this.status = status;
        this.sqlState = sqlState;
        this.retryable = retryable;
        this.advice = advice;
    }

    /** The code of this name; null for none, and for one that this build does not know. */
    public static @Nullable ErrorCode named(@Nullable String name) {
        for (ErrorCode code : values()) {
            if (code.name().equals(name)) {
                return code;
            }
        }
        return null;
    }

    public Status status() {
        return status;
    }

    /** Five characters, as in {@code SQLException.getSQLState()}. */
    public String sqlState() {
        return sqlState;
    }

    /** True when the same work may succeed if it is run again as a new transaction, and nothing of it is left. */
    public boolean retryable() {
        return retryable;
    }

    /** What to do about it, as one or two sentences. */
    public String advice() {
        return advice;
    }
}
