package io.troth.client;

import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletionStage;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * SQL on one resource under one transaction, run by the resource's agent: for applications without a service of their
 * own. One statement a call, PostgreSQL's SQL with question marks for parameters; which classes parameters may have is
 * said at {@link SqlType}. Immutable and thread-safe; statements of one transaction on one resource run one at a time.
 *
 * <p>Any failure leaves the transaction rollback-only, since the database has given up the branch, or nobody knows what
 * the statement did. So does a stage that the application cancels or completes by itself. A statement is never sent twice.
 * Only a parameter that the library itself refuses, at once and with nothing sent, changes nothing.
 *
 * <p>All methods throw, or complete with, {@link io.troth.core.TrothException}: {@link SqlFailedException} when the
 * database refused; SQL_REFUSED for transaction control, several statements or what changes the session;
 * TYPE_NOT_SUPPORTED; UNKNOWN_RESOURCE when no connected agent offers the resource, and none comes within 2 s;
 * NO_COORDINATOR; STREAM_BROKEN when the agent's answer was lost; DEADLINE_EXCEEDED. Dependents of stages run on a thread of
 * the library, in the gRPC context of whoever made the call and not in the transaction's, and must not block.
 */
public interface TransactionSql {

    /** How many rows a query fetches at once and reads ahead; 0 for the gateway's default. */
    TransactionSql withFetchSize(int rows);

    /** The most time that one call may take; the transaction's own time bounds it in any case. */
    TransactionSql withTimeout(Duration timeout);

    /** Runs a statement that returns no rows; returns how many it touched. */
    long update(String sql, @Nullable Object... parameters);

    /** As {@link #update}, without waiting. */
    CompletionStage<Long> updateAsync(String sql, @Nullable Object... parameters);

    /** As {@link #update}, and brings the values that the database generated for these columns. */
    SqlUpdate updateReturningKeys(List<String> keyColumns, String sql, @Nullable Object... parameters);

    /** As {@link #updateReturningKeys}, without waiting. */
    CompletionStage<SqlUpdate> updateReturningKeysAsync(
            List<String> keyColumns, String sql, @Nullable Object... parameters);

    /**
     * Runs one statement once for each row of parameters, in order.
     *
     * @return how many rows each execution touched; -2 where the database does not say
     */
    List<Long> batch(String sql, List<? extends List<? extends @Nullable Object>> rows);

    /** As {@link #batch}, without waiting. */
    CompletionStage<List<Long>> batchAsync(String sql, List<? extends List<? extends @Nullable Object>> rows);

    /** Runs a statement that returns rows, which arrive while they are taken. Close the result. */
    SqlRows query(String sql, @Nullable Object... parameters);

    /**
     * Runs a statement that returns rows and hands each to the action, on a thread of the library, which must not be
     * blocked; the next message is asked for when the action has seen all rows of the last. The stage completes with the
     * number of rows, or with what the action threw, which ends the query.
     */
    CompletionStage<Long> forEachAsync(Consumer<? super SqlRow> action, String sql, @Nullable Object... parameters);
}
