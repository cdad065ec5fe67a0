package io.troth.bench.recovery;

/**
 * What a coordinator costs with so many transactions in its log.
 *
 * @param transactions how many decisions to commit are in the log
 * @param ended whether they are done everywhere; else they are open, and in memory
 * @param logBytes the log on disk
 * @param readySeconds from the start of the process until it serves
 * @param heapBytes what is alive in its heap then
 * @param perSecond new transactions per second, afterwards
 * @param cpuMicros CPU time of the coordinator for each of them
 */
record Size(
        long transactions,
        boolean ended,
        long logBytes,
        double readySeconds,
        long heapBytes,
        double perSecond,
        double cpuMicros) {

    /** The transactions, to reckon with. */
    double count() {
        return (double) transactions;
    }

    /** Heap for each open transaction, in bytes, beside a coordinator that has none. */
    double bytesPerTransaction(Size empty) {
        return transactions == 0 ? 0 : (heapBytes - empty.heapBytes) / count();
    }
}
