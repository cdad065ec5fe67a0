package io.troth.agent.sql;

/**
 * What the gateway bounds. Every limit is positive.
 *
 * @param statementBytesMax the longest statement, in UTF-8
 * @param parametersMax the most parameters of one execution
 * @param batchRowsMax the most executions in one batch
 * @param keyRowsMax the most rows of generated keys in one reply
 * @param fetchSizeDefault the rows fetched at once and sent in one message, where the caller says nothing
 * @param fetchSizeMax the most that a caller may ask for
 * @param messageBytesMax the largest message in either direction; a larger row is refused
 */
public record SqlLimits(
        int statementBytesMax,
        int parametersMax,
        int batchRowsMax,
        int keyRowsMax,
        int fetchSizeDefault,
        int fetchSizeMax,
        int messageBytesMax) {

    /** The product's limits. */
    public static final SqlLimits DEFAULTS =
            new SqlLimits(256 * 1024, 10_000, 10_000, 10_000, 200, 10_000, 4 * 1024 * 1024);

    public SqlLimits {
        boolean positive = statementBytesMax > 0
                && parametersMax > 0
                && batchRowsMax > 0
                && keyRowsMax > 0
                && fetchSizeDefault > 0
                && fetchSizeMax >= fetchSizeDefault
                && messageBytesMax > 0;
        if (!positive) {
            throw new IllegalArgumentException("every limit of the SQL gateway must be positive");
        }
    }
}
