package io.troth.bench.run;

import java.util.List;

/** Checks that the money is all there, and moved exactly as was said. */
final class Bank {

    private static final long SETTLE_NANOS = 5_000_000_000L;
    private static final long PAUSE_MILLIS = 20;

    private final Servers servers;
    private long total;
    private long first;

    Bank(Servers servers) {
        this.servers = servers;
        List<Long> balances = servers.balances();
        this.total = sum(balances);
        this.first = balances.get(0);
    }

    /**
     * Waits until everything that was acknowledged is there and nothing is prepared any more.
     *
     * @param moved what was added to the first database by transactions that have ended well
     * @param perhaps what may have been added besides
     * @return what is wrong; empty when nothing is
     */
    String check(long moved, long perhaps) throws InterruptedException {
        long deadline = System.nanoTime() + SETTLE_NANOS;
        String wrong = look(moved, perhaps);
        while (!wrong.isEmpty() && System.nanoTime() - deadline < 0) {
            Thread.sleep(PAUSE_MILLIS);
            wrong = look(moved, perhaps);
        }
        List<Long> balances = servers.balances();
        total = sum(balances);
        first = balances.get(0);
        return wrong;
    }

    private String look(long moved, long perhaps) {
        long prepared = servers.prepared();
        if (prepared > 0) {
            return prepared + " transactions are still prepared";
        }
        List<Long> balances = servers.balances();
        if (sum(balances) != total) {
            return "money " + (sum(balances) > total ? "came from nowhere: " : "was lost: ") + (sum(balances) - total);
        }
        long change = balances.get(0) - first;
        if (change < moved + Math.min(0, perhaps) || change > moved + Math.max(0, perhaps)) {
            return "the first database changed by " + change + ", but what was acknowledged comes to " + moved
                    + (perhaps == 0 ? "" : ", and what failed to " + perhaps);
        }
        return "";
    }

    private static long sum(List<Long> balances) {
        return balances.stream().mapToLong(Long::longValue).sum();
    }
}
