package io.troth.bench.run;

import java.util.List;

/** Checks that the money is all there, and moved exactly as was said. */
final class Bank {

    private static final long SETTLE_NANOS = 5_000_000_000L;
    private static final long PAUSE_MILLIS = 20;

    private final Servers servers;
    private long total;
    private List<Long> weighted;

    Bank(Servers servers) {
        this.servers = servers;
        this.total = servers.total();
        this.weighted = servers.weighted();
    }

    /** Takes what is there now as right. */
    private void restart() {
        total = servers.total();
        weighted = servers.weighted();
    }

    /**
     * Leaves nothing of a contender that has broken at the databases: nobody else is to wait for its locks, or to be blamed
     * for its money.
     *
     * @param close ends the contender, which may wait for a database
     */
    void expel(String application, Runnable close) {
        servers.disconnect(application);
        close.run();
        servers.disconnect(application);
        servers.rollBackPrepared();
        restart();
    }

    /**
     * Waits until everything that was acknowledged is there and nothing is prepared any more.
     *
     * @param ledger what was said of the transactions since the last check
     * @return what is wrong; empty when nothing is
     */
    String check(Ledger ledger) throws InterruptedException {
        long deadline = System.nanoTime() + SETTLE_NANOS;
        String wrong = look(ledger);
        while (!wrong.isEmpty() && System.nanoTime() - deadline < 0) {
            Thread.sleep(PAUSE_MILLIS);
            wrong = look(ledger);
        }
        restart();
        return wrong;
    }

    private String look(Ledger ledger) {
        long prepared = servers.prepared();
        if (prepared > 0) {
            return prepared + " transactions are still prepared";
        }
        long more = servers.total() - total;
        if (more != 0) {
            return "money " + (more > 0 ? "came from nowhere: " : "was lost: ") + more;
        }
        List<Long> now = servers.weighted();
        for (int i = 0; i < ledger.databases(); i++) {
            long change = now.get(i) - weighted.get(i);
            if (change < ledger.least(i) || change > ledger.most(i)) {
                return String.format(
                        "the balances of database %d, by the places of the accounts, changed by %d;"
                                + " what was acknowledged comes to %d to %d",
                        i, change, ledger.least(i), ledger.most(i));
            }
        }
        return "";
    }
}
