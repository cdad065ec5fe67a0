package io.troth.coordinator.grpc;

/**
 * What a peer may send and what is kept for it, each with its unit in the name (protocol 12, bounded memory). All must
 * be positive. Bytes are checked before anything is parsed, counts before anything is kept.
 *
 * @param batchBytesMax the largest message, and so the largest batch, that is read
 * @param entryBytesMax the largest entry of a batch that is parsed
 * @param entriesPerBatchMax the most entries of one batch
 * @param metadataBytesMax the largest set of headers
 * @param clientStreamsMax client streams at the same time; one more is refused with OVERLOADED
 * @param agentStreamsMax agent streams at the same time
 * @param facadeTransactionsMax transactions of the unary facade whose session is open
 * @param unsentEntriesMax what may wait for one peer that does not read; one more hand-over cuts its stream
 * @param unsteppedBytesMax what one stream may have handed to the engine; above it nothing more is read from it
 */
public record WireLimits(
        int batchBytesMax,
        int entryBytesMax,
        int entriesPerBatchMax,
        int metadataBytesMax,
        int clientStreamsMax,
        int agentStreamsMax,
        int facadeTransactionsMax,
        int unsentEntriesMax,
        int unsteppedBytesMax) {

    /** The defaults of the product. */
    public static final WireLimits DEFAULTS =
            new WireLimits(4 * 1024 * 1024, 64 * 1024, 4_096, 64 * 1024, 10_000, 1_000, 5_000, 100_000, 1024 * 1024);

    public WireLimits {
        boolean positive = batchBytesMax > 0
                && entryBytesMax > 0
                && entriesPerBatchMax > 0
                && metadataBytesMax > 0
                && clientStreamsMax > 0
                && agentStreamsMax > 0
                && facadeTransactionsMax > 0
                && unsentEntriesMax > 0
                && unsteppedBytesMax > 0;
        if (!positive) {
            throw new IllegalArgumentException("every limit must be positive");
        }
    }
}
